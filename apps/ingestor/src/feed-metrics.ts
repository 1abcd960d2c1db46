import type { FeedState } from '@chart/market'
import { Gauge, type Registry } from '@chart/service'
import type { SymbolFeed } from './symbol-feed.ts'

/** One feed shard, as this process has it. */
export interface ShardFeeds {
  readonly shard: number
  readonly feeds: readonly Pick<SymbolFeed, 'state' | 'sequence'>[]
  readonly isLed: boolean
  /** Since its feed was last heard; undefined while this process does not listen to it. */
  readonly silentMs: number | undefined
}

const STATES: readonly FeedState[] = ['live', 'backfilling', 'stale', 'halted']

/**
 * How the feeds are, looked at when scraped. There may be hundreds of symbols, so none is a label: the age is told of a shard (there are
 * FEED_SHARDS, and the pulse of its clock comes every second however quiet its symbols are), and symbols are counted by their state.
 * Which symbol it is stands in Redis and in ListSymbols.
 */
export class FeedMetrics {
  #read: () => readonly ShardFeeds[] = () => []

  constructor(registry: Registry) {
    const registers = [registry]
    const led = () => this.#read().flatMap(({ isLed, feeds }) => (isLed ? feeds : []))
    const shards = () => this.#read()
    new Gauge({
      name: 'chart_ingestor_feed_age_seconds',
      help: 'Since the feed of a shard was last heard by this process, while it listens to it',
      labelNames: ['shard'],
      registers,
      collect() {
        this.reset()
        for (const { shard, silentMs } of shards()) if (silentMs !== undefined) this.set({ shard }, silentMs / 1_000)
      },
    })
    new Gauge({
      name: 'chart_ingestor_symbols',
      help: 'Symbols of the led feed shards, by the state of their feed',
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of STATES) this.set({ state }, 0)
        for (const { state } of led()) this.inc({ state })
      },
    })
    new Gauge({
      name: 'chart_ingestor_waiting_trades',
      help: 'Trades of the led feed shards that wait for Redis to take them, or for the end of a gap before them',
      labelNames: ['for'],
      registers,
      collect() {
        const sequences = led().map(({ sequence }) => sequence)
        this.set({ for: 'redis' }, sum(sequences.map(({ unstoredCount }) => unstoredCount)))
        this.set({ for: 'gap' }, sum(sequences.map(({ waitingCount }) => waitingCount)))
      },
    })
  }

  /** From now on this is what is shown. */
  follow(read: () => readonly ShardFeeds[]): void {
    this.#read = read
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
