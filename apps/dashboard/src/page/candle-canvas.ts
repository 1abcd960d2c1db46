import type { BarText } from '@chart/market'
import {
  type CandlestickData,
  CandlestickSeries,
  CrosshairMode,
  createChart,
  type HistogramData,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  LineStyle,
  type MouseEventParams,
  type UTCTimestamp,
  type WhitespaceData,
} from 'lightweight-charts'
import { BarMarks } from './bar-marks.ts'
import type { Palette } from './palette.ts'
import { gapSlots, slotIndexAt, slotsOf, type TimeSlot } from './time-slots.ts'
import { timeText } from './time-text.ts'

/** Empty places right of the newest bar. */
const RIGHT_OFFSET = 5
const BAR_SPACING = 7
const NARROW_BAR_SPACING = 6
/** A step of the keys. */
const ZOOM_FACTOR = 1.25
/** Share of the height, from the top: candles above, volume below, a strip between. */
const CANDLES_UNTIL = 0.76
const VOLUME_FROM = 0.82
const TOP_MARGIN = 0.06

export interface CanvasOptions {
  readonly container: HTMLElement
  readonly palette: Palette
  readonly isNarrow: boolean
  /** The part of the time axis in sight has changed. */
  onView(): void
  /** The reader points at a place; undefined when not any more. Not called for a place that `pointAt` set. */
  onPoint(slot: TimeSlot | undefined): void
}

/** The drawing of one series: candles, volume and signs, over a time axis that has a place for each bar and each missing one. */
export class CandleCanvas {
  readonly #chart: IChartApi
  readonly #candles: ISeriesApi<'Candlestick'>
  readonly #volumes: ISeriesApi<'Histogram'>
  readonly #marks: BarMarks
  readonly #barSpacing: number
  #palette: Palette
  #slots: TimeSlot[] = []
  #barCount = 0
  #intervalMs = 60_000

  constructor({ container, palette, isNarrow, onView, onPoint }: CanvasOptions) {
    this.#palette = palette
    this.#barSpacing = isNarrow ? NARROW_BAR_SPACING : BAR_SPACING
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: TOP_MARGIN, bottom: 1 - CANDLES_UNTIL } },
      timeScale: { borderVisible: false, rightOffset: RIGHT_OFFSET, barSpacing: this.#barSpacing, minBarSpacing: 0.5 },
      localization: { locale: 'en-GB', dateFormat: 'yyyy-MM-dd' },
      // A finger that moves up or down scrolls the page, where charts stand below each other.
      handleScroll: { vertTouchDrag: false },
    })
    this.#candles = this.#chart.addSeries(CandlestickSeries, { borderVisible: true, priceLineStyle: LineStyle.Dotted })
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: '',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: VOLUME_FROM, bottom: 0 } })
    this.#marks = new BarMarks(() => this.#slots, CANDLES_UNTIL)
    this.#candles.attachPrimitive(this.#marks)
    this.setPalette(palette)
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(onView)
    this.#chart.subscribeCrosshairMove(event => {
      if (event.sourceEvent !== undefined || event.point === undefined) onPoint(this.#slotOf(event))
    })
  }

  /** The bar at the end of the drawing, as the drawing has it. */
  get newestDrawn(): BarText | undefined {
    return barOf(this.#candles.dataByIndex(this.#slots.length - 1))
  }

  /** All bars of the drawing, as the drawing has them. */
  get drawnBars(): readonly BarText[] {
    return this.#candles.data().flatMap(item => barOf(item) ?? [])
  }

  get barCount(): number {
    return this.#barCount
  }

  /** Bars that are missing between the oldest and the newest one. */
  get missingCount(): number {
    const oldest = this.#slots[0]
    const newest = this.#slots.at(-1)
    if (oldest === undefined || newest === undefined) return 0
    return (newest.openTime - oldest.openTime) / this.#intervalMs + 1 - this.#barCount
  }

  get slots(): readonly TimeSlot[] {
    return this.#slots
  }

  /** True while the newest bar is in sight. */
  get isAtNewest(): boolean {
    return this.#slots.length === 0 || this.#chart.timeScale().scrollPosition() > -1
  }

  /** Places of the axis that are in sight; those below 0 are before the oldest bar. */
  get view(): { readonly from: number; readonly to: number } | undefined {
    return this.#chart.timeScale().getVisibleLogicalRange() ?? undefined
  }

  setPalette(palette: Palette): void {
    this.#palette = palette
    this.#marks.setPalette(palette)
    const { text, muted, grid, up, down, raised, accent } = palette
    const crosshairLine = { color: muted, labelBackgroundColor: accent, style: LineStyle.Dashed, width: 1 } as const
    this.#chart.applyOptions({
      layout: {
        background: { color: 'transparent' },
        textColor: muted,
        fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
        fontSize: 11,
        panes: { separatorColor: raised },
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: { vertLine: crosshairLine, horzLine: crosshairLine },
    })
    this.#candles.applyOptions({
      upColor: up,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
      priceLineColor: text,
    })
    if (this.#slots.length > 0) this.#drawAll()
  }

  /** Prepares for another series: nothing is drawn, and the newest bar will be in sight. */
  begin(interval: string, intervalMs: number): void {
    this.#intervalMs = intervalMs
    this.#slots = []
    this.#drawAll()
    this.#chart.applyOptions({
      timeScale: { timeVisible: !interval.endsWith('d'), secondsVisible: interval.endsWith('s') },
      localization: { timeFormatter: (time: UTCTimestamp) => timeText(time * 1_000, interval) },
    })
    this.#chart.timeScale().applyOptions({ barSpacing: this.#barSpacing })
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false)
    this.#chart.priceScale('right').applyOptions({ autoScale: true })
  }

  setPrecision(decimals: number, tickSize: number): void {
    this.#candles.applyOptions({ priceFormat: { type: 'price', precision: decimals, minMove: tickSize } })
  }

  /** Draws `bars`, of which those from `changedFrom` on have changed since the last time. */
  draw(bars: readonly BarText[], changedFrom: number): void {
    const last = this.#slots.at(-1)
    if (last === undefined || changedFrom < last.openTime || bars.length === 0) {
      this.#slots = slotsOf(bars, this.#intervalMs)
      this.#drawAll()
      return
    }
    let index = bars.length
    while (index > 0 && bars[index - 1]!.openTime >= changedFrom) index--
    for (const bar of bars.slice(index)) this.#drawNewest(bar)
  }

  /** Points at the bar that `time` falls into, as if the reader did; undefined: at nothing. */
  pointAt(time: number | undefined): TimeSlot | undefined {
    const slot = time === undefined ? undefined : this.#slots[slotIndexAt(this.#slots, time, this.#intervalMs)]
    if (slot?.bar === undefined) {
      this.#chart.clearCrosshairPosition()
      return undefined
    }
    this.#chart.setCrosshairPosition(Number(slot.bar.close), timeOf(slot.openTime), this.#candles)
    return slot
  }

  zoom(by: 1 | -1): void {
    const view = this.view
    if (view === undefined) return
    const width = (view.to - view.from) * (by === 1 ? 1 / ZOOM_FACTOR : ZOOM_FACTOR)
    // The newest bar stays where it is; of older ones the middle does.
    const end = this.isAtNewest ? view.to : (view.from + view.to + width) / 2
    this.#chart.timeScale().setVisibleLogicalRange({ from: end - width, to: end })
  }

  scroll(by: 1 | -1): void {
    const view = this.view
    if (view === undefined) return
    const step = (view.to - view.from) * 0.75 * by
    const end = Math.min(view.to + step, this.#slots.length - 1 + RIGHT_OFFSET)
    this.#chart.timeScale().setVisibleLogicalRange({ from: end - (view.to - view.from), to: end })
  }

  toNewest(): void {
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false)
  }

  toOldest(): void {
    const view = this.view
    if (view === undefined) return
    const width = view.to - view.from
    this.#chart.timeScale().setVisibleLogicalRange({ from: -RIGHT_OFFSET, to: width - RIGHT_OFFSET })
  }

  close(): void {
    this.#chart.remove()
  }

  #slotOf(event: MouseEventParams): TimeSlot | undefined {
    return event.point === undefined || event.logical === undefined ? undefined : this.#slots[event.logical]
  }

  #drawAll(): void {
    this.#barCount = this.#slots.reduce((count, slot) => (slot.bar === undefined ? count : count + 1), 0)
    this.#candles.setData(this.#slots.map(slot => this.#candleOf(slot)))
    this.#volumes.setData(this.#slots.map(slot => this.#volumeOf(slot)))
  }

  #drawNewest(bar: BarText): void {
    const last = this.#slots.at(-1)!
    const added =
      last.openTime === bar.openTime
        ? [{ openTime: bar.openTime, bar }]
        : [...gapSlots(last.openTime, bar.openTime, this.#intervalMs), { openTime: bar.openTime, bar }]
    if (last.openTime === bar.openTime) this.#slots.pop()
    else this.#barCount++
    for (const slot of added) {
      this.#slots.push(slot)
      this.#candles.update(this.#candleOf(slot))
      this.#volumes.update(this.#volumeOf(slot))
    }
  }

  #candleOf({ openTime, bar }: TimeSlot): CandlestickData | WhitespaceData {
    const time = timeOf(openTime)
    if (bar === undefined) return { time }
    const { up, down, flat } = this.#palette
    const candle = {
      time,
      open: Number(bar.open),
      high: Number(bar.high),
      low: Number(bar.low),
      close: Number(bar.close),
      customValues: { bar },
    }
    if (bar.tradeCount === 0) return { ...candle, color: flat, borderColor: flat, wickColor: flat }
    // What is not whole has no filled body.
    if (!bar.complete && bar.proof !== 'imported') {
      return { ...candle, color: 'transparent', borderColor: candle.close >= candle.open ? up : down }
    }
    return candle
  }

  #volumeOf({ openTime, bar }: TimeSlot): HistogramData | WhitespaceData {
    const time = timeOf(openTime)
    if (bar === undefined) return { time }
    const { upVolume, downVolume } = this.#palette
    const isUp = Number(bar.close) >= Number(bar.open)
    return { time, value: Number(bar.baseVolume), color: isUp ? upVolume : downVolume }
  }
}

function barOf(item: CandlestickData | WhitespaceData | null): BarText | undefined {
  return item?.customValues?.bar as BarText | undefined
}

function timeOf(openTime: number): UTCTimestamp {
  return (openTime / 1_000) as UTCTimestamp
}
