import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts'
import { signsOf } from './bar-signs.ts'
import type { Palette } from './palette.ts'
import type { Gap, TimeSlot } from './time-slots.ts'

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0]

/** Half the width of a sign, in pixels. */
const SIGN = 4
/** Between a candle and its sign. */
const SIGN_GAP = 5
/** Signs of one kind that are closer than this to the one before would run into each other, and are left out. */
const SIGNS_APART = 2 * SIGN + 1
/** Between the stripes of a gap. */
const STRIPES_APART = 8
/** A gap is named where there is this much more room than its name needs. */
const NAME_MARGIN = 12
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif'

/**
 * What is drawn beside candles so that it can be told without colour: stripes where bars are missing, a triangle under a bar that lacks
 * trades, a diamond over a corrected one, a ring around one without trades, a dotted line under imported ones.
 */
export class BarMarks implements ISeriesPrimitive<Time> {
  readonly #slots: () => readonly TimeSlot[]
  readonly #candlesUntil: number
  readonly #views: readonly IPrimitivePaneView[]
  #host: SeriesAttachedParameter<Time> | undefined
  #palette: Palette | undefined

  /** @param candlesUntil share of the height, from the top, above which candles are drawn */
  constructor(slots: () => readonly TimeSlot[], candlesUntil: number) {
    this.#slots = slots
    this.#candlesUntil = candlesUntil
    const viewOf = (zOrder: 'bottom' | 'top', draw: (target: Target) => void): IPrimitivePaneView => ({
      zOrder: () => zOrder,
      renderer: () => ({ draw }),
    })
    this.#views = [
      viewOf('bottom', target => this.#draw(target, drawing => this.#drawBehind(drawing))),
      viewOf('top', target => this.#draw(target, drawing => this.#drawInFront(drawing))),
    ]
  }

  attached(host: SeriesAttachedParameter<Time>): void {
    this.#host = host
  }

  detached(): void {
    this.#host = undefined
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views
  }

  setPalette(palette: Palette): void {
    this.#palette = palette
    this.#host?.requestUpdate()
  }

  #draw(target: Target, draw: (drawing: Drawing) => void): void {
    const timeScale = this.#host?.chart.timeScale()
    const range = timeScale?.getVisibleLogicalRange()
    const palette = this.#palette
    if (timeScale === undefined || range == null || palette === undefined) return
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const slots = this.#slots()
      draw({
        context,
        palette,
        height: mediaSize.height,
        slots,
        first: Math.max(0, Math.floor(range.from)),
        last: Math.min(slots.length - 1, Math.ceil(range.to)),
        spacing: timeScale.options().barSpacing,
        x: index => timeScale.logicalToCoordinate(index as Logical) ?? 0,
        y: price => this.#host?.series.priceToCoordinate(price) ?? undefined,
      })
    })
  }

  #drawBehind(drawing: Drawing): void {
    for (const run of runsOf(drawing)) {
      if (run.gap !== undefined) drawGap(drawing, run.first, run.last)
      else drawImported(drawing, run.first, run.last, drawing.height * (this.#candlesUntil + 0.03))
    }
  }

  #drawInFront(drawing: Drawing): void {
    this.#drawSigns(drawing)
    for (const { gap, first, last } of runsOf(drawing)) if (gap !== undefined) drawGapName(drawing, gap, first, last)
  }

  #drawSigns(drawing: Drawing): void {
    const { slots, context, palette, x, y } = drawing
    const lastAt = new Map<string, number>()
    context.lineWidth = 1.25
    for (let index = drawing.first; index <= drawing.last; index++) {
      const bar = slots[index]!.bar
      if (bar === undefined) continue
      for (const sign of signsOf(bar)) {
        const at = x(index)
        if (sign === 'imported' || at - (lastAt.get(sign) ?? Number.NEGATIVE_INFINITY) < SIGNS_APART) continue
        lastAt.set(sign, at)
        const high = y(Number(bar.high))
        const low = y(Number(bar.low))
        if (high === undefined || low === undefined) continue
        if (sign === 'corrected') drawDiamond(context, at, high - SIGN_GAP - SIGN, palette.corrected)
        else if (sign === 'incomplete') drawTriangle(context, at, low + SIGN_GAP, palette.warn)
        else drawRing(context, at, low, palette.flat)
      }
    }
  }
}

/** One pane at one moment. */
interface Drawing {
  readonly context: CanvasRenderingContext2D
  readonly palette: Palette
  readonly height: number
  readonly slots: readonly TimeSlot[]
  /** Places in sight. */
  readonly first: number
  readonly last: number
  readonly spacing: number
  x(index: number): number
  y(price: number): number | undefined
}

/** Places that follow each other and have a sign together: a gap, or imported bars. */
interface Run {
  readonly gap: Gap | undefined
  readonly first: number
  readonly last: number
}

function* runsOf({ slots, first, last }: Drawing): Generator<Run> {
  for (let index = first; index <= last; ) {
    const { gap, bar } = slots[index]!
    const isImported = bar?.proof === 'imported'
    let end = index + 1
    if (gap !== undefined || isImported) {
      while (end <= last && slots[end]!.gap === gap && (slots[end]!.bar?.proof === 'imported') === isImported) end++
      yield { gap, first: index, last: end - 1 }
    }
    index = end
  }
}

function drawGap({ context, palette, height, x, spacing }: Drawing, first: number, last: number): void {
  const left = x(first) - spacing / 2
  const width = x(last) + spacing / 2 - left
  context.save()
  context.beginPath()
  context.rect(left, 0, width, height)
  context.clip()
  context.fillStyle = palette.gapTint
  context.fillRect(left, 0, width, height)
  context.strokeStyle = palette.gapLine
  context.lineWidth = 1
  context.beginPath()
  // Counted from the left end of the gap, so that the stripes move with it.
  for (let from = left - height; from < left + width; from += STRIPES_APART) {
    context.moveTo(from, height)
    context.lineTo(from + height, 0)
  }
  context.stroke()
  context.restore()
}

function drawImported({ context, palette, x, spacing }: Drawing, first: number, last: number, y: number): void {
  const left = x(first) - spacing / 2
  const right = x(last) + spacing / 2
  context.save()
  context.strokeStyle = palette.muted
  context.lineWidth = 2
  context.lineCap = 'round'
  context.setLineDash([0.1, 5])
  context.beginPath()
  context.moveTo(left, y)
  context.lineTo(right, y)
  context.stroke()
  context.restore()
}

function drawGapName({ context, palette, x, spacing }: Drawing, { missing }: Gap, first: number, last: number): void {
  const name = `${missing.toLocaleString('en-US')} missing`
  const middle = (x(first) + x(last)) / 2
  context.save()
  context.font = FONT
  const { width } = context.measureText(name)
  if (width + NAME_MARGIN <= (last - first + 1) * spacing) {
    context.fillStyle = palette.panel
    context.fillRect(middle - width / 2 - 5, 6, width + 10, 17)
    context.fillStyle = palette.muted
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillText(name, middle, 15)
  }
  context.restore()
}

function drawDiamond(context: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  context.fillStyle = color
  context.beginPath()
  context.moveTo(x, y - SIGN)
  context.lineTo(x + SIGN, y)
  context.lineTo(x, y + SIGN)
  context.lineTo(x - SIGN, y)
  context.fill()
}

/** Hollow, pointing down; `y` is its upper edge. */
function drawTriangle(context: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  context.strokeStyle = color
  context.beginPath()
  context.moveTo(x - SIGN, y)
  context.lineTo(x + SIGN, y)
  context.lineTo(x, y + 1.5 * SIGN)
  context.closePath()
  context.stroke()
}

function drawRing(context: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  context.strokeStyle = color
  context.beginPath()
  context.arc(x, y, SIGN - 0.5, 0, 2 * Math.PI)
  context.stroke()
}
