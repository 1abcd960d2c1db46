import type { ChartEvent, StreamedBar } from '@chart/client'
import {
  type Cell,
  type Column,
  fittingLines,
  lineText,
  type Paint,
  type PictureSize,
  SPARKLINE_VALUES,
  type StyledLine,
  shortDecimal,
  sparkline,
  type Tone,
  tableLines,
  toneOfChange,
  toneOfFeed,
} from '@chart/terminal'

/** What went wrong on the way, newest last; the series have the rest of the screen. */
const NOTES_MAX = 3

interface Watched {
  bar: StreamedBar
  /** The last closes that differed from the one before, oldest first. */
  readonly closes: string[]
}

const COLUMNS: readonly Column[] = [
  { head: 'symbol' },
  { head: 'bar', leaveOut: 1 },
  { head: 'open time', leaveOut: 5 },
  { head: 'open', align: 'right', leaveOut: 7 },
  { head: 'high', align: 'right', leaveOut: 6 },
  { head: 'low', align: 'right', leaveOut: 6 },
  { head: 'close', align: 'right' },
  { head: 'last closes'.padEnd(SPARKLINE_VALUES), leaveOut: 3 },
  { head: 'volume', align: 'right', leaveOut: 8 },
  { head: 'trades', align: 'right', leaveOut: 4 },
  { head: 'event', leaveOut: 9 },
  { head: 'feed', leaveOut: 2 },
  { head: 'complete', leaveOut: 10 },
]

/** What a stream has told so far, a row for each series: what `chart watch` shows on a terminal. */
export class WatchedSeries {
  readonly #series = new Map<string, Watched>()
  readonly #feeds = new Map<string, string | undefined>()
  readonly #notes: string[] = []

  take(event: ChartEvent): void {
    if (event.event === 'gap') return
    if (event.event === 'heartbeat') {
      this.#feeds.set(event.feed.symbol, event.feed.state)
      return
    }
    const { bar } = event
    const key = `${bar.symbol} ${bar.interval}`
    const known = this.#series.get(key)
    if (known === undefined) {
      this.#series.set(key, { bar, closes: [bar.close] })
      return
    }
    // A correction is of an earlier bar: its close is not the newest.
    if (bar.openTime >= known.bar.openTime && bar.close !== known.closes.at(-1)) known.closes.push(bar.close)
    if (known.closes.length > SPARKLINE_VALUES) known.closes.shift()
    known.bar = bar
  }

  /** Says something beside the bars, such as that another edge goes on. */
  note(text: string): void {
    this.#notes.push(text)
    if (this.#notes.length > NOTES_MAX) this.#notes.shift()
  }

  render({ columns, rows }: PictureSize, paint: Paint): string[] {
    const cells = [...this.#series.values()].map(one => this.#cellsOf(one))
    const notes = this.#notes.map((text): StyledLine => [{ text, tone: 'warning' }])
    const shown = [...fittingLines(tableLines(COLUMNS, cells, columns), rows - notes.length), ...notes]
    return shown.slice(-rows).map(line => lineText(line, columns, paint))
  }

  #cellsOf({ bar, closes }: Watched): Cell[] {
    const feed = this.#feeds.get(bar.symbol)
    return [
      bar.symbol,
      bar.interval,
      timeText(bar.openTime),
      shortDecimal(bar.open),
      shortDecimal(bar.high),
      shortDecimal(bar.low),
      { text: shortDecimal(bar.close), tone: closeTone(bar) },
      sparkline(closes.map(Number)),
      shortDecimal(bar.baseVolume),
      String(bar.tradeCount),
      bar.event,
      { text: feed ?? '-', tone: toneOfFeed(feed) },
      { text: bar.complete ? 'yes' : 'no', tone: bar.complete ? 'plain' : 'warning' },
    ]
  }
}

/** A line for files and pipes. */
export function lineOf(bar: StreamedBar, paint: Paint): string {
  const close = paint(closeTone(bar), bar.close)
  const prices = `o ${bar.open}  h ${bar.high}  l ${bar.low}  c ${close}`
  const proof = bar.complete ? 'complete' : 'incomplete'
  return `${bar.symbol} ${bar.interval}  ${timeText(bar.openTime)}  ${bar.event.padEnd(9)}  ${prices}  v ${bar.baseVolume}  trades ${bar.tradeCount}  ${proof}`
}

/** Above the bar's open or below. */
function closeTone(bar: StreamedBar): Tone {
  return toneOfChange(Number(bar.close), Number(bar.open))
}

export function timeText(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ')
}
