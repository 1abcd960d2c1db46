import { DEFAULT_INTERVALS } from '@chart/market'
import { BAR_FIELDS } from '@chart/redis'
import type { Redis } from 'ioredis'

/** Live bars of `symbols` symbols that nobody has to make, written by themselves `times` times. */
export interface ReadyHashes {
  readonly symbols: number
  readonly times: number
}

/** Bytes of a `chart.v1.Bar`. */
const BAR_BYTES = 190

/** The floor: a value of a bar's size for each interval, in one hash of the symbol; a pipeline for each time. */
export async function writeReadyValues(redis: Redis, { symbols, times }: ReadyHashes): Promise<void> {
  for (let time = 0; time < times; time++) {
    const pipeline = redis.pipeline()
    for (let symbol = 0; symbol < symbols; symbol++) {
      const bars = DEFAULT_INTERVALS.map(interval => [interval, `${time}`.padStart(BAR_BYTES, 'x')])
      pipeline.hset(`bars:${symbol}`, ...bars.flat())
    }
    await pipeline.exec()
  }
}

/** Instead: every field of every live bar, in a transaction for each time, so that they fit together. */
export async function writeReadyFields(redis: Redis, { symbols, times }: ReadyHashes): Promise<void> {
  for (let time = 0; time < times; time++) {
    const multi = redis.multi()
    for (let symbol = 0; symbol < symbols; symbol++) {
      const fields = BAR_FIELDS.flatMap(name => [name, `${1_000_000 + time}.00000000`])
      for (const interval of DEFAULT_INTERVALS) multi.hset(`bar:${symbol}:${interval}`, ...fields)
    }
    await multi.exec()
  }
}
