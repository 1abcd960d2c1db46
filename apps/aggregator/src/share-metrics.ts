import { lookAtPartition, type RedisCommands, readSymbols } from '@chart/redis'
import { Gauge, type Registry } from '@chart/service'

/** What one process has of the whole. */
export interface ShareReading {
  readonly symbols: number
  /** Log entries of the owned partitions that are not in their bars yet. */
  readonly lagEntries: number
}

/** One command, and a look at each partition: some thirty of 30 µs at each scrape. */
export async function readShare(redis: RedisCommands, tags: readonly string[]): Promise<ShareReading> {
  const owned = new Set(tags)
  const symbols = [...(await readSymbols(redis)).values()].filter(tag => owned.has(tag)).length
  const looks = await Promise.all(tags.map(tag => lookAtPartition(redis, tag)))
  return { symbols, lagEntries: looks.reduce((sum, { pos, seq }) => sum + Math.max(0, seq - pos), 0) }
}

/**
 * What Redis says of our share, asked for when scraped. While it does not answer the gauges keep their last value, and the other metrics
 * are told.
 */
export class ShareMetrics {
  #read: () => Promise<ShareReading> = async () => ({ symbols: 0, lagEntries: 0 })
  /** The two gauges are collected side by side, and share one reading. */
  #reading: Promise<ShareReading | undefined> | undefined

  constructor(registry: Registry) {
    const registers = [registry]
    const reading = () => this.#readOnce()
    new Gauge({
      name: 'chart_aggregator_owned_symbols',
      help: 'Symbols of the owned partitions',
      registers,
      async collect() {
        const symbols = (await reading())?.symbols
        if (symbols !== undefined) this.set(symbols)
      },
    })
    new Gauge({
      name: 'chart_aggregator_log_lag_entries',
      help: 'Entries between the heads of the logs of the owned partitions and what is in their bars',
      registers,
      async collect() {
        const lagEntries = (await reading())?.lagEntries
        if (lagEntries !== undefined) this.set(lagEntries)
      },
    })
  }

  /** From now on this is what is shown. */
  follow(read: () => Promise<ShareReading>): void {
    this.#read = read
  }

  #readOnce(): Promise<ShareReading | undefined> {
    this.#reading ??= this.#read()
      .catch(() => undefined)
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }
}
