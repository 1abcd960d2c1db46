import {
  messageOfPosition,
  positionOfMessage,
  type StreamBarsRequest,
  type StreamBarsResponse,
  timestampOfTime,
} from '@chart/grpc'
import { type ChartEvent, eventOfMessage } from './chart-event.ts'
import { SeriesProgress } from './series-progress.ts'

/** Corrections that an edge is told of for each series: it looks no further back itself. */
const CORRECTED_MAX = 64
/** The same of all series: 20 kB of a request. What is left out costs a correction that is told again, and not passed. */
const CORRECTED_TOTAL_MAX = 1_000

/** Where the reader of a stream of several series stands: what it is to be told, and how the next call goes on from there. */
export class StreamProgress {
  readonly #sinceTime: number | undefined
  readonly #series = new Map<string, SeriesProgress>()
  /** Every snapshot has come: a series without a bar has none yet. */
  #begun = false

  constructor(series: { symbols: readonly string[]; intervals: readonly string[]; sinceTime?: number | undefined }) {
    this.#sinceTime = series.sinceTime
    for (const symbol of series.symbols) {
      for (const interval of series.intervals) {
        this.#series.set(keyOf({ symbol, interval }), new SeriesProgress(series.sinceTime))
      }
    }
  }

  /** What of a response the reader is to have; it has it then. */
  *take(response: StreamBarsResponse): Generator<ChartEvent> {
    for (const message of response.events) {
      const event = eventOfMessage(message)
      const taken = event === undefined ? undefined : this.#takeEvent(event)
      if (taken !== undefined) yield taken
    }
    for (const message of response.positions) {
      const position = positionOfMessage(message)
      if (position !== undefined) this.#series.get(keyOf(position))?.adopt(position)
    }
    if (response.positions.length > 0) this.#begun = true
  }

  #takeEvent(event: ChartEvent): ChartEvent | undefined {
    if (event.event !== 'snapshot') this.#begun = true
    switch (event.event) {
      case 'heartbeat':
        return event
      case 'gap': {
        const gap = this.#series.get(keyOf(event.gap))?.takeGap(event.gap)
        return gap && { event: 'gap', gap }
      }
      default:
        return this.#series.get(keyOf(event.bar))?.take(event.event, event.bar) === true ? event : undefined
    }
  }

  /** The part of a request that says where to go on. */
  request(): Pick<StreamBarsRequest, 'startTime' | 'positions'> {
    const correctedMax = Math.min(CORRECTED_MAX, Math.floor(CORRECTED_TOTAL_MAX / this.#series.size))
    const positions = [...this.#series].flatMap(([key, series]) => {
      const [symbol, interval] = key.split(' ') as [string, string]
      const told = series.told(correctedMax)
      return told === undefined ? [] : messageOfPosition({ symbol, interval, ...told })
    })
    const startTime = this.#startTime()
    return { startTime: startTime === undefined ? null : timestampOfTime(startTime), positions }
  }

  /**
   * The time asked for; else that of the first bar. While snapshots may be outstanding there is none: it would give a series that has no
   * bar yet the history of another's.
   */
  #startTime(): number | undefined {
    if (this.#sinceTime !== undefined) return this.#sinceTime
    const starts = [...this.#series.values()].flatMap(({ startTime }) => startTime ?? [])
    if (starts.length === 0 || (!this.#begun && starts.length < this.#series.size)) return undefined
    return Math.min(...starts)
  }
}

function keyOf({ symbol, interval }: { symbol: string; interval: string }): string {
  return `${symbol} ${interval}`
}
