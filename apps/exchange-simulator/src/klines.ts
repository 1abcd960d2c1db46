import { addTrade, type Bar, flatBar, type Interval, intervals, openTimeOf } from './bar.ts'
import type { Tape } from './tape.ts'
import { seriesOf, sumTrades, sumTradesNow } from './trade-sums.ts'

const minuteMs = intervals['1m']
/** Minutes remembered per symbol, about three days; past it the oldest known go. */
const minutesMax = 4500
/** Trades one REST answer may have to sum up, some ten seconds of work; past it the answer is "overloaded". */
const summedTradesMax = 10_000_000

export class TooManyTradesError extends Error {}

/**
 * What the exchange itself says of a symbol's klines, by REST and on streams. Unlike the oracle it must be quick, so it
 * sums each minute once and makes longer bars of minutes.
 */
export class Klines {
  readonly #tape: Tape
  /** Trades of whole minutes; null for a minute without any. */
  readonly #minutes = new Map<number, Bar | null>()
  /** While streams want live klines: minutes from here on are kept up to `position`. */
  #followed: { from: number; position: number } | undefined
  #filling = false

  constructor(tape: Tape) {
    this.#tape = tape
  }

  /** Klines with `from` <= openTime < `to`, both aligned. */
  async between(interval: Interval, from: number, to: number): Promise<Bar[]> {
    const tape = this.#tape
    const intervalMs = intervals[interval]
    const end = Math.min(to, tape.time)
    if (tape.positionAt(end) - tape.positionAt(from) > summedTradesMax) throw new TooManyTradesError()
    if (intervalMs < minuteMs) return seriesOf(tape, intervalMs, from, to, await sumTrades(tape, intervalMs, from, to))
    if (intervalMs === minuteMs) return seriesOf(tape, intervalMs, from, to, await this.#minutesBetween(from, end))
    const sums = new Map<number, Bar>()
    for (let openTime = from; openTime < end; openTime += intervalMs) {
      const minutes = await this.#minutesBetween(openTime, Math.min(end, openTime + intervalMs))
      const bar = mergeBars(openTime, minutes.values())
      if (bar) sums.set(openTime, bar)
    }
    return seriesOf(tape, intervalMs, from, to, sums)
  }

  /** The kline that starts at `openTime` as of now; undefined where there is none or its past is still being summed. */
  live(interval: Interval, openTime: number): Bar | undefined {
    const tape = this.#tape
    const intervalMs = intervals[interval]
    const to = openTime + intervalMs
    if (intervalMs < minuteMs) {
      return seriesOf(tape, intervalMs, openTime, to, sumTradesNow(tape, intervalMs, openTime, to))[0]
    }
    this.#follow()
    const minutes: Bar[] = []
    const end = Math.min(to, tape.time)
    for (let minute = openTime; minute < end; minute += minuteMs) {
      const bar = this.#known(minute)
      if (bar === undefined) {
        this.#fillInBackground(openTime, end)
        return undefined
      }
      if (bar) minutes.push(bar)
    }
    const merged = mergeBars(openTime, minutes)
    return seriesOf(tape, intervalMs, openTime, to, merged ? new Map([[openTime, merged]]) : new Map())[0]
  }

  /** No stream wants klines any more; what is not whole is forgotten. */
  stopFollowing(): void {
    this.#followed = undefined
    for (const minute of this.#minutes.keys()) if (!this.#isWhole(minute)) this.#minutes.delete(minute)
  }

  /** Counts the trades sent since the last call into their minutes. */
  #follow(): void {
    const tape = this.#tape
    if (!this.#followed) {
      const from = openTimeOf(tape.time, minuteMs)
      this.#followed = { from, position: tape.positionAt(from) }
    }
    const followed = this.#followed
    const end = tape.end
    for (const trade of tape.read(followed.position, end)) {
      const minute = openTimeOf(trade.tradeTime, minuteMs)
      if (minute < followed.from) continue
      let bar = this.#minutes.get(minute)
      if (!bar) {
        bar = flatBar(minute, 0n)
        this.#remember(minute, bar)
      }
      addTrade(bar, trade)
    }
    followed.position = end
  }

  /** Trades of a minute: null for none, undefined where they have not been summed. */
  #known(minute: number): Bar | null | undefined {
    const bar = this.#minutes.get(minute)
    return bar === undefined && this.#followed && minute >= this.#followed.from ? null : bar
  }

  async #minutesBetween(from: number, to: number): Promise<Map<number, Bar>> {
    if (this.#followed) this.#follow()
    const found = new Map<number, Bar>()
    for (let minute = from; minute < to; ) {
      const known = this.#known(minute)
      if (known) found.set(minute, known)
      if (known !== undefined) {
        minute += minuteMs
        continue
      }
      let end = minute
      while (end < to && this.#known(end) === undefined) end += minuteMs
      const sums = await sumTrades(this.#tape, minuteMs, minute, end)
      for (; minute < end; minute += minuteMs) {
        const bar = sums.get(minute)
        if (bar) found.set(minute, bar)
        if (this.#isWhole(minute) && this.#known(minute) === undefined) this.#remember(minute, bar ?? null)
      }
    }
    return found
  }

  #fillInBackground(from: number, to: number): void {
    if (this.#filling) return
    this.#filling = true
    void this.#minutesBetween(from, to).finally(() => {
      this.#filling = false
    })
  }

  #isWhole(minute: number): boolean {
    return this.#tape.time >= minute + minuteMs + this.#tape.history.latenessMaxMs
  }

  #remember(minute: number, bar: Bar | null): void {
    this.#minutes.set(minute, bar)
    if (this.#minutes.size <= minutesMax) return
    const oldest = Math.min(...this.#minutes.keys())
    this.#minutes.delete(oldest)
    if (this.#followed && oldest >= this.#followed.from) this.#followed.from = oldest + minuteMs
  }
}

/** One bar of several. By id, not by time: with late trades the last trade of all may lie in an earlier minute. */
function mergeBars(openTime: number, parts: Iterable<Bar>): Bar | undefined {
  let merged: Bar | undefined
  for (const part of parts) {
    if (!merged) {
      merged = { ...part, openTime }
      continue
    }
    if (part.high > merged.high) merged.high = part.high
    if (part.low < merged.low) merged.low = part.low
    if (part.firstTradeId < merged.firstTradeId) {
      merged.open = part.open
      merged.firstTradeId = part.firstTradeId
    }
    if (part.lastTradeId > merged.lastTradeId) {
      merged.close = part.close
      merged.lastTradeId = part.lastTradeId
    }
    merged.baseVolume += part.baseVolume
    merged.quoteVolume += part.quoteVolume
    merged.takerBuyBaseVolume += part.takerBuyBaseVolume
    merged.takerBuyQuoteVolume += part.takerBuyQuoteVolume
    merged.tradeCount += part.tradeCount
  }
  return merged
}
