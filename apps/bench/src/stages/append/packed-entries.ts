import { appendEntry, type Claim, logKey, type RedisConnection } from '@chart/redis'
import type { AppendWay } from './append-way.ts'
import { blockOf, claimed, seedLog } from './seeded-partition.ts'

const TAG = '{p00}'

/** Ours: compare-and-append of packed entries of `entryTrades` trades, one call in flight. */
export function packedEntries(redis: RedisConnection, symbol: string, entryTrades: number): AppendWay {
  let claim: Claim
  return {
    share: 1,
    stream: logKey(TAG),
    async prepare() {
      claim = await claimed(redis, TAG, 'ingest')
      await seedLog(redis, claim, [symbol])
    },
    async append(trades) {
      for (let start = 0; start < trades.length; start += entryTrades) {
        const answer = await appendEntry(redis, claim, [blockOf(symbol, trades.slice(start, start + entryTrades))])
        if (answer.kind !== 'appended') throw new Error(`the log refused trade ${start + 1}`)
      }
    },
  }
}
