/** A process of the benchmark: the aggregator that one would write first. A consumer group, and for each trade HSET, PUBLISH and XACK. */
import { Redis } from 'ioredis'
import { answerParent } from '../harness/bench-process.ts'
import { type DoubleBar, withTrade } from '../stages/commit/double-bar.ts'
import { type Entry, READ_ENTRIES } from '../stages/commit/single-entries.ts'
import { CHANNEL, type PublishedBar, streamOf } from './per-trade.ts'
import type { Place } from './stand-in-service.ts'

const GROUP = 'aggregators'

answerParent({
  async open({ redisPort, symbols }: Place): Promise<void> {
    const redis = new Redis(redisPort)
    for (const symbol of symbols) await redis.xgroup('CREATE', streamOf(symbol), GROUP, '0', 'MKSTREAM')
    void follow(new Redis(redisPort), redis, new Map(symbols.map(symbol => [streamOf(symbol), symbol])))
  },
})

async function follow(reader: Redis, redis: Redis, symbols: ReadonlyMap<string, string>): Promise<void> {
  const bars = new Map<string, DoubleBar>()
  const streams = [...symbols.keys()]
  const news = streams.map(() => '>')
  for (;;) {
    const from = ['GROUP', GROUP, 'one', 'COUNT', READ_ENTRIES, 'BLOCK', 0, 'STREAMS', ...streams, ...news] as const
    const reply = (await reader.xreadgroup(...from)) as [string, Entry[]][]
    const pipeline = redis.pipeline()
    for (const [stream, entries] of reply) {
      const symbol = symbols.get(stream)!
      for (const [id, fields] of entries) {
        const bar = withTrade(bars.get(symbol), fields)
        bars.set(symbol, bar)
        const published: PublishedBar = { symbol, tradeTime: Number(fields[1]), ...bar }
        pipeline.hset(`bar:${symbol}`, bar)
        pipeline.publish(CHANNEL, JSON.stringify(published))
        pipeline.xack(stream, GROUP, id)
      }
    }
    for (const [error] of (await pipeline.exec())!) if (error) throw error
  }
}
