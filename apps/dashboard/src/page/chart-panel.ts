import type { BarText } from '@chart/market'
import type { SeriesName, SymbolView } from '../wire.ts'
import { CandleCanvas } from './candle-canvas.ts'
import { decimalsOf, priceText } from './decimals.ts'
import { button, element, icon, setText } from './element.ts'
import { type ChartState, chartStateOf } from './feed-sign.ts'
import type { Drawable, Frames } from './frames.ts'
import type { HeldSeries, SeriesReader } from './held-series.ts'
import { ICONS } from './icons.ts'
import { IntervalChoice } from './interval-choice.ts'
import { NARROW_MAX_PX } from './layout.ts'
import { Legend } from './legend.ts'
import { noticeOf } from './notice.ts'
import type { CommandedChart } from './page-commands.ts'
import type { Palette } from './palette.ts'
import { PanelHead } from './panel-head.ts'
import type { TimeSlot } from './time-slots.ts'

/** Older bars are loaded when fewer than this many are left of the view. */
const BARS_AHEAD = 100
/** The live bar, which comes first, is drawn together with its history if that comes within this time: two pictures would be a jump. */
const HISTORY_FIRST_MS = 600

/** What a panel asks of the page. */
export interface PanelHost {
  readonly frames: Frames
  readonly isConnected: boolean
  /** By the server's clock. */
  now(): number
  symbolView(symbol: string): SymbolView | undefined
  onActive(panel: ChartPanel): void
  onInterval(panel: ChartPanel, interval: string): void
  onSearch(panel: ChartPanel): void
  onSymbolStep(panel: ChartPanel, by: 1 | -1): void
  onRemove(panel: ChartPanel): void
  /** The reader points at a moment in this panel; undefined when not any more. */
  onPoint(panel: ChartPanel, time: number | undefined): void
  onStateChange(panel: ChartPanel, state: ChartState): void
}

/** One chart of the page with its controls, its legend and its badges. */
export class ChartPanel implements Drawable, SeriesReader, CommandedChart {
  readonly root: HTMLElement
  readonly #host: PanelHost
  readonly #canvas: CandleCanvas
  readonly #legend = new Legend()
  readonly #head: PanelHead
  readonly #notice = element('div', { class: 'notice', hidden: true })
  readonly #toNewest: HTMLButtonElement
  readonly #intervals = new IntervalChoice(name => this.#host.onInterval(this, name))
  #series: HeldSeries
  #changedFrom: number | undefined = Number.NEGATIVE_INFINITY
  #pointed: TimeSlot | undefined
  #decimals: number | undefined
  #tickSize = ''
  #beganTime = performance.now()

  constructor(host: PanelHost, parent: HTMLElement, series: HeldSeries, palette: Palette) {
    this.#host = host
    this.#series = series
    this.#head = new PanelHead(() => host.onSearch(this))
    this.#toNewest = button(
      'Go to the newest bar',
      { class: 'to-newest', hidden: true },
      () => this.toNewest(),
      icon(ICONS.toNewest.lines),
    )
    const canvasRoot = element('div', { class: 'canvas', role: 'img', 'aria-label': 'Candles and volume' })
    this.root = element(
      'section',
      { class: 'panel', tabindex: -1 },
      this.#head.root,
      this.#intervals.buttons,
      element(
        'div',
        { class: 'panel-tools' },
        this.#intervals.list,
        button('Remove this chart', { class: 'quiet remove' }, () => host.onRemove(this), icon(ICONS.close.lines)),
      ),
      this.#legend.root,
      element('div', { class: 'plot' }, canvasRoot, this.#notice, this.#toNewest),
    )
    // The drawing measures its room when it is made.
    parent.append(this.root)
    this.root.addEventListener('pointerdown', () => host.onActive(this))
    this.root.addEventListener('focusin', () => host.onActive(this))
    this.#canvas = new CandleCanvas({
      container: canvasRoot,
      palette,
      isNarrow: window.innerWidth <= NARROW_MAX_PX,
      onView: () => this.#host.frames.request(this),
      onPoint: slot => {
        this.#setPointed(slot)
        host.onPoint(this, slot?.openTime)
      },
    })
    // For support: in the browser's console, document.querySelector('.panel').drawnBars()
    Object.assign(this.root, { drawnBars: () => this.#canvas.drawnBars })
    this.#begin()
  }

  get series(): HeldSeries {
    return this.#series
  }

  get name(): SeriesName {
    return this.#series.name
  }

  get newest(): BarText | undefined {
    return this.#series.newest
  }

  /** The newest price as text, as it is drawn; undefined before the first bar. */
  get priceText(): string | undefined {
    return this.newest === undefined ? undefined : priceText(this.newest.close, this.#decimals)
  }

  get lookedAtFrom(): number {
    const view = this.#canvas.view
    if (this.#canvas.isAtNewest || view === undefined) return Number.POSITIVE_INFINITY
    const slot = this.#canvas.slots[Math.max(0, Math.floor(view.from) - BARS_AHEAD)]
    return slot?.openTime ?? Number.POSITIVE_INFINITY
  }

  /** Shows another series in place of the one before. */
  show(series: HeldSeries): void {
    this.#series.readers.delete(this)
    this.#series = series
    this.#begin()
  }

  onChange(changedFrom: number | undefined): void {
    if (changedFrom !== undefined) this.#changedFrom = Math.min(changedFrom, this.#changedFrom ?? changedFrom)
    this.#host.frames.request(this)
  }

  setIntervals(names: readonly string[]): void {
    this.#intervals.setNames(names)
  }

  setActive(isActive: boolean): void {
    this.root.classList.toggle('is-active', isActive)
  }

  setPalette(palette: Palette): void {
    this.#canvas.setPalette(palette)
  }

  /** Points where another panel's reader does. */
  pointAt(time: number | undefined): void {
    this.#setPointed(this.#canvas.pointAt(time))
  }

  setInterval(index: number): void {
    const interval = this.#intervals.names[index]
    if (interval !== undefined) this.#host.onInterval(this, interval)
  }

  goToSymbol(by: 1 | -1): void {
    this.#host.onSymbolStep(this, by)
  }

  search(): void {
    this.#host.onSearch(this)
  }

  remove(): void {
    this.#host.onRemove(this)
  }

  zoom(by: 1 | -1): void {
    this.#canvas.zoom(by)
  }

  scroll(by: 1 | -1): void {
    this.#canvas.scroll(by)
  }

  toNewest(): void {
    this.#canvas.toNewest()
  }

  toOldest(): void {
    this.#canvas.toOldest()
  }

  close(): void {
    this.#series.readers.delete(this)
    this.#host.frames.forget(this)
    this.#canvas.close()
    this.root.remove()
  }

  /** What belongs to a clock: the age of the last trade. */
  drawAge(): void {
    const { feed } = this.#host.symbolView(this.name.symbol) ?? {}
    this.#head.showAge(feed?.lastTradeTime, this.#host.now())
  }

  drawFrame(): void {
    this.#drawBadges()
    this.#drawNotice()
    if (this.#isHistoryDue()) return
    this.#drawBars()
    const slots = this.#canvas.slots
    const slot = this.#pointed ?? slots.at(-1)
    this.#legend.show(slot, this.name.interval, this.#decimals)
    this.#head.showPrice(this.priceText ?? '')
    this.#drawView()
    this.#tellDrawn()
  }

  #begin(): void {
    this.#series.readers.add(this)
    this.#changedFrom = Number.NEGATIVE_INFINITY
    this.#pointed = undefined
    this.#beganTime = performance.now()
    const { symbol, interval } = this.name
    this.#canvas.begin(interval, this.#series.intervalMs)
    this.root.setAttribute('aria-label', `${symbol} ${interval}`)
    this.#head.showSymbol(symbol)
    this.#intervals.mark(interval)
    this.#tickSize = ''
    this.#decimals = undefined
    this.#legend.show(undefined, interval, undefined)
    this.#head.showPrice('')
    // Nothing is drawn of it yet.
    for (const name of Object.keys(this.root.dataset)) delete this.root.dataset[name]
    this.drawAge()
    this.#host.frames.request(this)
    setTimeout(() => this.#host.frames.request(this), HISTORY_FIRST_MS)
  }

  /** The bar may have another version by now. */
  #setPointed(slot: TimeSlot | undefined): void {
    this.#pointed = slot
    this.#host.frames.request(this)
  }

  #isHistoryDue(): boolean {
    return (
      this.#series.history === 'loading' &&
      this.#canvas.slots.length === 0 &&
      performance.now() - this.#beganTime < HISTORY_FIRST_MS
    )
  }

  #drawBars(): void {
    this.#takeTickSize()
    const changedFrom = this.#changedFrom
    if (changedFrom === undefined) return
    this.#changedFrom = undefined
    this.#canvas.draw(this.#series.bars, changedFrom)
    const pointed = this.#pointed?.openTime
    if (pointed !== undefined) this.#pointed = this.#canvas.slots.findLast(slot => slot.openTime === pointed)
  }

  #takeTickSize(): void {
    const tickSize = this.#host.symbolView(this.name.symbol)?.tickSize ?? ''
    if (tickSize === this.#tickSize) return
    this.#tickSize = tickSize
    this.#decimals = decimalsOf(tickSize)
    if (this.#decimals !== undefined) this.#canvas.setPrecision(this.#decimals, Number(tickSize))
  }

  #drawBadges(): void {
    const view = this.#host.symbolView(this.name.symbol)
    this.#head.showSimulated(view?.simulated === true)
    this.root.classList.toggle('is-simulated', view?.simulated === true)
    const state = chartStateOf({
      isServed: view !== undefined,
      isConnected: this.#host.isConnected,
      feed: view?.feed,
    })
    if (this.#head.showState(state)) this.#host.onStateChange(this, state)
  }

  /** What depends on which part of the time axis is in sight. */
  #drawView(): void {
    const { isAtNewest, slots, view } = this.#canvas
    this.#toNewest.hidden = isAtNewest
    if (view !== undefined && slots.length > 0 && view.from < BARS_AHEAD) this.#series.loadOlder()
    this.#drawNotice()
  }

  #drawNotice(): void {
    const { view } = this.#canvas
    const notice = noticeOf(this.#series, view !== undefined && view.from < 0)
    this.#notice.hidden = notice === undefined
    if (notice !== undefined) setText(this.#notice, notice)
  }

  /** For tests and support: what is drawn, read from the drawing itself. */
  #tellDrawn(): void {
    const { newestDrawn: newest, slots, view } = this.#canvas
    const { symbol, interval } = this.name
    const told: Record<string, string | number | undefined> = {
      symbol: newest?.symbol ?? symbol,
      interval: newest?.interval ?? interval,
      openTime: newest?.openTime,
      close: newest?.close,
      lastTradeId: newest?.lastTradeId,
      tradeCount: newest?.tradeCount,
      barState: newest?.state,
      bars: this.#canvas.barCount,
      missing: this.#canvas.missingCount,
      state: this.#head.state,
      history: this.#series.history,
      firstOpenTime: slots[0]?.openTime,
      viewFrom: view && slots[Math.max(0, Math.ceil(view.from))]?.openTime,
      viewTo: view && slots[Math.min(slots.length - 1, Math.floor(view.to))]?.openTime,
      atNewest: String(this.#canvas.isAtNewest),
    }
    for (const [name, value] of Object.entries(told)) {
      if (value === undefined) delete this.root.dataset[name]
      else this.root.dataset[name] = String(value)
    }
  }
}
