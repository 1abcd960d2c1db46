import { type Bar, type Interval, intervals, isInterval, openTimeOf } from './bar.ts'
import { klineFrame } from './frames.ts'
import type { Klines } from './klines.ts'
import type { StreamHub } from './stream-hub.ts'
import type { Tape } from './tape.ts'

/** Klines that change are pushed this often, ms of the exchange's clock; 1s klines each second. */
const pushIntervalMs = 2000

interface KlineStream {
  readonly name: string
  readonly symbol: string
  readonly interval: Interval
}

/** `btcusdt@kline_1m` as its parts; undefined for streams of other kinds, and names with capitals, which nobody serves. */
export function klineStreamOf(name: string): KlineStream | undefined {
  const match = /^([^@A-Z]+)@kline_(\w+)$/.exec(name)
  const interval = match?.[2]
  if (!match || !interval || !isInterval(interval)) return undefined
  return { name, symbol: match[1]!.toUpperCase(), interval }
}

/** What the kline streams say, second by second of the exchange's clock. */
export class KlinePulses {
  readonly #hub: StreamHub
  readonly #tapes: ReadonlyMap<string, Tape>
  readonly #klines: ReadonlyMap<string, Klines>
  /** By stream, the state of the kline pushed last; unchanged ones are not pushed again. */
  readonly #pushed = new Map<string, string>()
  readonly #followed = new Set<string>()

  constructor(hub: StreamHub, tapes: ReadonlyMap<string, Tape>, klines: ReadonlyMap<string, Klines>) {
    this.#hub = hub
    this.#tapes = tapes
    this.#klines = klines
  }

  /** Called at each whole second, after every trade before it has been sent. */
  pulse(time: number, eventTime: number): void {
    const wanted = new Set<string>()
    for (const name of this.#hub.streams) {
      const stream = klineStreamOf(name)
      if (!stream || !this.#tapes.has(stream.symbol)) continue
      wanted.add(stream.symbol)
      if (!this.#tapes.get(stream.symbol)!.halted) this.#push(stream, time, eventTime)
    }
    for (const symbol of this.#followed) if (!wanted.has(symbol)) this.#klines.get(symbol)!.stopFollowing()
    this.#followed.clear()
    for (const symbol of wanted) this.#followed.add(symbol)
    for (const name of this.#pushed.keys()) if (!this.#hub.has(name)) this.#pushed.delete(name)
  }

  #push(stream: KlineStream, time: number, eventTime: number): void {
    const intervalMs = intervals[stream.interval]
    const closed = time % intervalMs === 0
    if (!closed && time % pushIntervalMs !== 0) return
    const openTime = closed ? time - intervalMs : openTimeOf(time, intervalMs)
    const bar = this.#klines.get(stream.symbol)!.live(stream.interval, openTime)
    if (!bar || (!closed && !this.#changed(stream.name, bar))) return
    const { symbol, interval, name } = stream
    this.#hub.publish(name, factor => [klineFrame({ symbol, interval, bar, closed, eventTime }, factor)])
  }

  #changed(stream: string, bar: Bar): boolean {
    const state = `${bar.openTime} ${bar.tradeCount}`
    if (this.#pushed.get(stream) === state) return false
    this.#pushed.set(stream, state)
    return true
  }
}
