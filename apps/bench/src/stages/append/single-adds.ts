import type { Redis } from 'ioredis'
import type { AppendWay } from './append-way.ts'
import { lineOf, printedTrade } from './generated-trades.ts'

const STREAM = 'trades'

/** What one writes first: an awaited XADD for each trade. The trade id is the entry's, so Redis refuses a duplicate. */
export function awaitedAdds(redis: Redis): AppendWay {
  return {
    // 40 to 80 times slower than entries of a hundred.
    share: 0.05,
    stream: STREAM,
    prepare: async () => undefined,
    async append(trades) {
      for (const trade of trades) await redis.xadd(STREAM, `${trade.tradeId}-0`, 't', lineOf(printedTrade(trade)))
    },
  }
}

/** What one does about it: pipelines of `pipelined` XADDs, still an entry for each trade. */
export function pipelinedAdds(redis: Redis, pipelined: number): AppendWay {
  return {
    share: 1,
    stream: STREAM,
    prepare: async () => undefined,
    async append(trades) {
      for (let start = 0; start < trades.length; start += pipelined) {
        const pipeline = redis.pipeline()
        for (const trade of trades.slice(start, start + pipelined)) {
          pipeline.xadd(STREAM, `${trade.tradeId}-0`, 't', lineOf(printedTrade(trade)))
        }
        for (const [error] of (await pipeline.exec())!) if (error) throw error
      }
    },
  }
}
