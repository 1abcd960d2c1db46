/** A process of the benchmark: ingestor and aggregator of a market at an even pace, with their own scripts and their own messages. */
import { intervalOf } from '@chart/market'
import { openRedis, registerSymbols, tagOf } from '@chart/redis'
import { answerParent } from '../../harness/bench-process.ts'
import { MarketPartition } from './market-partition.ts'

const PARTITIONS = 8

export interface Market {
  readonly redisUrl: string
  readonly symbols: readonly string[]
  readonly interval: string
}

let partitions: MarketPartition[] = []

answerParent({
  /** Makes the symbols known and begins their bars. Gives the partitions. */
  async register({ redisUrl, symbols, interval }: Market): Promise<string[]> {
    const redis = await openRedis(redisUrl, 'market')
    const info = { status: 'TRADING', tickSize: '0.01000000', stepSize: '0.00001000', simulated: false }
    const scales = { priceScale: 8, quantityScale: 8, quoteScale: 8 }
    await registerSymbols(
      redis,
      symbols.map(symbol => ({ symbol, ...info, ...scales })),
      PARTITIONS,
    )
    const byTag = Map.groupBy(symbols, symbol => tagOf(symbol, PARTITIONS))
    partitions = await Promise.all(
      [...byTag].map(([tag, own]) =>
        MarketPartition.open({ redis, redisUrl, tag, symbols: own, interval: intervalOf(interval) }),
      ),
    )
    return [...byTag.keys()]
  },
  /** Trades at this rate from now on, over all symbols together. */
  trade({ tradesPerSecond }: { tradesPerSecond: number }): void {
    const symbols = partitions.reduce((sum, { size }) => sum + size, 0)
    for (const partition of partitions) partition.trade((tradesPerSecond * partition.size) / symbols)
  },
  /** Ends trading; answers when everything is published. */
  stop: async () => void (await Promise.all(partitions.map(partition => partition.stop()))),
  /** Trades so far. */
  made: () => partitions.reduce((sum, { made }) => sum + made, 0),
})
