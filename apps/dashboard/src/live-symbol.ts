import type { SymbolUpdate } from '@chart/grpc'
import type { Interval } from '@chart/market'
import type { LiveBar } from '@chart/redis'
import { SeriesLine } from './series-line.ts'

/** The bars of one symbol as this server follows them: a line for each interval, and how far the symbol's trades have come. */
export class LiveSymbol {
  readonly symbol: string
  readonly tag: string
  readonly lines: ReadonlyMap<string, SeriesLine>
  /**
   * `following`: updates are told as they come. `reading`: the live bars are being read; updates wait in `early`. `outdated`: an update
   * was missed after that reading began, so it is not the last one.
   */
  state: 'following' | 'reading' | 'outdated' = 'reading'
  early: SymbolUpdate[] = []
  ready: Promise<void> = Promise.resolve()
  /** Every trade up to this id is in the bars, and the exchange time that they have reached. */
  #throughTradeId = -1
  #throughTime = 0

  constructor(symbol: string, tag: string, intervals: readonly Interval[]) {
    this.symbol = symbol
    this.tag = tag
    this.lines = new Map(intervals.map(interval => [interval.name, new SeriesLine(symbol, interval)]))
  }

  /**
   * Takes live bars as they were read. Where Redis fell back to an earlier state of itself, pages are not taken back in time with it: they
   * go on where the updates pass what they know.
   */
  restore(stored: readonly (LiveBar | undefined)[]): void {
    const bars = stored.filter(bar => bar !== undefined)
    // A bar is written when it changes, so the one that changed last says how far the symbol has come.
    const throughTradeId = Math.max(-1, ...bars.map(bar => bar.throughTradeId))
    const throughTime = Math.max(0, ...bars.map(bar => bar.throughTime))
    if (this.#isBefore(throughTradeId, throughTime)) return
    this.#throughTradeId = throughTradeId
    this.#throughTime = throughTime
    for (const { bar } of bars) this.lines.get(bar.interval)?.setLive(bar.openTime, bar)
  }

  /** Takes an update; one that is older than what is known can still tell a correction. */
  follow(update: SymbolUpdate): void {
    const { throughTradeId, throughTime } = update
    const isKnown = throughTradeId === this.#throughTradeId && throughTime === this.#throughTime
    const isNews = !isKnown && !this.#isBefore(throughTradeId, throughTime)
    for (const closed of update.closed) {
      if (isNews || closed.corrected) this.lines.get(closed.interval)?.tellClosed(closed.openTime, closed.bar)
    }
    if (!isNews) return
    for (const live of update.live) this.lines.get(live.interval)?.setLive(live.openTime, live.bar)
    this.#throughTradeId = throughTradeId
    this.#throughTime = Math.max(this.#throughTime, throughTime)
  }

  /** Every trade up to this one is in the bars; undefined while there are none. */
  get throughTradeId(): number | undefined {
    return this.#throughTradeId === -1 ? undefined : this.#throughTradeId
  }

  tellMissed(): void {
    for (const line of this.lines.values()) line.tellMissed()
  }

  close(): void {
    for (const line of this.lines.values()) line.close()
  }

  #isBefore(throughTradeId: number, throughTime: number): boolean {
    if (throughTradeId !== this.#throughTradeId) return throughTradeId < this.#throughTradeId
    return throughTime < this.#throughTime
  }
}
