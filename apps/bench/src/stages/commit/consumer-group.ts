import type { Redis } from 'ioredis'
import { type DoubleBar, withTrade } from './double-bar.ts'
import { type Entry, READ_ENTRIES, STREAM } from './single-entries.ts'

const GROUP = 'aggregators'

export async function createGroup(redis: Redis): Promise<void> {
  await redis.xgroup('CREATE', STREAM, GROUP, '0')
}

/**
 * Instead: a consumer group, the bar in memory in doubles, and for every trade HSET, PUBLISH and XACK, in a pipeline for each read. It
 * makes the minute alone; and what it did twice after a crash is counted twice.
 */
export async function consumerGroup(redis: Redis, last: number): Promise<void> {
  let bar: DoubleBar | undefined
  for (let after = 0; after < last; ) {
    const read = ['GROUP', GROUP, 'one', 'COUNT', READ_ENTRIES, 'STREAMS', STREAM, '>'] as const
    const [[, entries]] = (await redis.xreadgroup(...read)) as [[string, Entry[]]]
    const pipeline = redis.pipeline()
    for (const entry of entries) {
      bar = withTrade(bar, entry[1])
      pipeline.hset('bar', bar)
      pipeline.publish('updates', JSON.stringify(bar))
      pipeline.xack(STREAM, GROUP, entry[0])
    }
    for (const [error] of (await pipeline.exec())!) if (error) throw error
    after = Number.parseInt(entries.at(-1)![0], 10)
  }
}
