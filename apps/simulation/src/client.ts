import {
  type BarGapMessage,
  type BarStream,
  type BarVersionMessage,
  barOfMessage,
  decodeResponse,
  type RpcError,
  type SeriesPositionMessage,
  timeOfTimestamp,
  timestampOfTime,
} from '@chart/grpc'
import { type BarText, intervalOf } from '@chart/market'
import type { Random } from './random.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What a client knows of one series. */
export interface ToldSeries {
  readonly symbol: string
  readonly interval: string
  /** The newest version of every closed bar that it was told, by openTime. */
  readonly closed: Map<number, BarText>
  /** openTime of the first bar that it was told of: older ones may be corrected, and are nobody's successors. */
  start: number | undefined
  /** openTime of the newest bar told for the first time. */
  newest: number | undefined
  /** The live bar told last. */
  live: BarText | undefined
  /** What the edge said of where a stream of closed bars begins. */
  position: SeriesPositionMessage | undefined
  /** Bars that it was told it will not be told. */
  readonly gaps: { readonly start: number; readonly end: number }[]
}

export interface ClientOptions {
  readonly time: VirtualTime
  readonly random: Random
  readonly tally: Tally
  /** Chance for each message that the client does not read on for a while. */
  readonly slow: number
  /** The edge's process. */
  readonly owner: SimulatedProcess
  /** Bars before the first trade of a symbol can only be told late. */
  readonly firstOpenTime: (symbol: string, interval: string) => number
  broken(promise: string, detail: string): void
  /** What the client knows from its calls before. */
  readonly series?: Map<string, ToldSeries>
  readonly trace?: ((line: string) => void) | undefined
}

const SLOW_MS = { min: 20, max: 1_500 }

/**
 * A subscriber to an edge, at the edge's end of the wire: reads the messages and holds them against what a stream promises. No revision
 * of a closed bar twice, none missing between two, none before its predecessor, no live bar of a time that was closed.
 */
export class Client implements BarStream {
  readonly name: string
  readonly owner: SimulatedProcess
  readonly series: Map<string, ToldSeries>
  /** The call ended with an error. */
  ended = false
  /** The client has gone, which the edge may not have noticed: it hears nothing any more. */
  isAway = false
  readonly #options: ClientOptions
  #drain: () => void = () => undefined
  #close: () => void = () => undefined

  constructor(name: string, options: ClientOptions) {
    this.name = name
    this.owner = options.owner
    this.#options = options
    this.series = options.series ?? new Map()
  }

  /** What a call that goes on says. */
  positions(): SeriesPositionMessage[] {
    return [...this.series.values()].flatMap(series => positionOf(series) ?? [])
  }

  write(response: Uint8Array): boolean {
    if (this.ended || this.isAway) return false
    const { random, time, slow, owner } = this.#options
    const { events, positions } = decodeResponse(response)
    for (const position of positions) this.#onPosition(position)
    for (const { type, bar, gap } of events) {
      if (gap !== null) this.#onGap(gap)
      if (bar === null) continue
      this.#options.trace?.(`${this.name} ${type.slice(15)} ${bar.symbol} ${bar.interval} ${toldOf(barOfMessage(bar))}`)
      const series = this.#seriesOf(bar.symbol, bar.interval)
      if (type === 'BAR_EVENT_TYPE_CLOSED' || type === 'BAR_EVENT_TYPE_CORRECTED')
        this.#onClosed(series, barOfMessage(bar))
      else this.#onLive(series, barOfMessage(bar))
    }
    if (!random.chance(slow)) return true
    time.after(random.integer(SLOW_MS.min, SLOW_MS.max), () => this.#drain(), owner)
    return false
  }

  onDrain(listener: () => void): void {
    this.#drain = listener
  }

  onClose(listener: () => void): void {
    if (this.ended) {
      listener()
      return
    }
    const before = this.#close
    this.#close = () => {
      before()
      listener()
    }
  }

  fail(_: RpcError): void {
    this.hangUp()
  }

  /** The client goes. */
  hangUp(): void {
    if (this.ended) return
    this.ended = true
    this.#close()
  }

  #seriesOf(symbol: string, interval: string): ToldSeries {
    const key = `${symbol} ${interval}`
    let series = this.series.get(key)
    if (series === undefined) {
      series = {
        symbol,
        interval,
        closed: new Map(),
        start: undefined,
        newest: undefined,
        live: undefined,
        position: undefined,
        gaps: [],
      }
      this.series.set(key, series)
    }
    return series
  }

  #onClosed(series: ToldSeries, bar: BarText): void {
    const { broken, tally, firstOpenTime } = this.#options
    tally.add('closed bars told')
    if (bar.revision > 0) tally.add('corrections told')
    const place = `${this.name}, ${bar.symbol} ${bar.interval} ${clock(bar.openTime)} revision ${bar.revision}`
    const known = series.closed.get(bar.openTime)
    series.closed.set(bar.openTime, bar)
    if (known !== undefined) {
      if (!isNewer(bar, known)) broken('no closed revision is told twice', `${place} after ${known.revision}`)
      return
    }
    // A symbol's very first trades may be late, and of bars from before the call only corrections are told.
    if (bar.openTime < firstOpenTime(bar.symbol, bar.interval)) return
    series.start ??= bar.openTime
    if (bar.openTime < series.start) return
    const expected = series.newest === undefined ? series.start : series.newest + intervalOf(bar.interval).intervalMs
    const gapOf = (openTime: number) => series.gaps.find(gap => openTime >= gap.start && openTime < gap.end)
    if (bar.openTime > (gapOf(expected)?.end ?? expected)) {
      broken('no closed bar is left out', `${place}, expected ${clock(expected)}`)
    }
    if (bar.openTime < expected && gapOf(bar.openTime) === undefined) {
      broken('no closed bar comes before its predecessor', `${place}, expected ${clock(expected)}`)
    }
    series.newest = Math.max(series.newest ?? bar.openTime, bar.openTime)
  }

  #onPosition(position: SeriesPositionMessage): void {
    const series = this.#seriesOf(position.symbol, position.interval)
    // An edge may be behind its client, which has told it where it stands.
    if (series.newest !== undefined || series.live !== undefined || series.position !== undefined) return
    series.position = position
    series.start = timeOfTimestamp(position.newest!.openTime)
  }

  #onGap({ symbol, interval, startTime, endTime }: BarGapMessage): void {
    this.#options.tally.add('gaps told')
    const series = this.#seriesOf(symbol, interval)
    series.gaps.push({ start: timeOfTimestamp(startTime)!, end: timeOfTimestamp(endTime)! })
    this.#options.trace?.(`${this.name} GAP ${symbol} ${interval} ${clock(timeOfTimestamp(startTime)!)}`)
  }

  #onLive(series: ToldSeries, bar: BarText): void {
    series.start ??= bar.openTime
    const known = series.live
    series.live = bar
    const place = `${this.name}, ${bar.symbol} ${bar.interval} ${clock(bar.openTime)}`
    if (series.newest !== undefined && bar.openTime <= series.newest) {
      this.#options.broken('no bar is live after it was closed', `${place} after ${clock(series.newest)}`)
    }
    if (known !== undefined && isBehind(bar, known)) {
      const ids = `trade ${bar.lastTradeId} after ${clock(known.openTime)} trade ${known.lastTradeId}`
      this.#options.broken('no live bar goes back', `${place} ${ids}`)
    }
  }
}

/** A late trade can take a bar's place as the last one of its symbol, but never a trade out of it. */
function isBehind(bar: BarText, known: BarText): boolean {
  return bar.openTime < known.openTime || (bar.openTime === known.openTime && bar.lastTradeId < known.lastTradeId)
}

/** As many corrections as the manual asks for. */
const POSITION_CORRECTED_MAX = 64

function positionOf(series: ToldSeries): SeriesPositionMessage | undefined {
  const { symbol, interval, closed, newest, live } = series
  const bar = live !== undefined && live.openTime > (newest ?? -1) ? live : closed.get(newest ?? -1)
  const version = bar === undefined ? series.position?.newest : versionOf(bar)
  if (!version) return undefined
  const before = timeOfTimestamp(version.openTime)!
  const corrected = [...closed.values()].filter(one => one.revision > 0 && one.openTime < before)
  corrected.sort((a, b) => a.openTime - b.openTime)
  return {
    symbol,
    interval,
    newest: version,
    corrected: corrected.slice(-POSITION_CORRECTED_MAX).map(versionOf),
  }
}

function versionOf({ openTime, state, revision, lastTradeId }: BarText): BarVersionMessage {
  return {
    openTime: timestampOfTime(openTime),
    state: state === 'closed' ? 'BAR_STATE_CLOSED' : 'BAR_STATE_LIVE',
    revision,
    lastTradeId,
  }
}

/** After Redis fell back, a bar can close again with more trades and a revision that was told before. */
function isNewer(bar: BarText, known: BarText): boolean {
  if (bar.revision > known.revision || bar.lastTradeId > known.lastTradeId) return true
  return bar.lastTradeId === known.lastTradeId && bar.tradeCount > known.tradeCount
}

function toldOf({ openTime, revision, firstTradeId, lastTradeId, complete }: BarText): string {
  return `${clock(openTime)} revision ${revision} trades ${firstTradeId}-${lastTradeId}${complete ? '' : ' not complete'}`
}

function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 19)
}
