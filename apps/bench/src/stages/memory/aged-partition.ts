import { appendEntry, openBarQueue, openRedis } from '@chart/redis'
import { GENERATED_SYMBOLS, type GeneratedSymbol, generatedTrades } from '../append/generated-trades.ts'
import { blockOf } from '../append/seeded-partition.ts'
import { aggregatorLoop } from '../commit/aggregator-loop.ts'
import { beginLog } from '../commit/filled-log.ts'

/** So that the fourth day has begun: each interval then has all the closed bars that are kept of it. */
const HOURS = 80
/** An hour apart. */
const TRADES_PER_SECOND = 1 / 3_600

export const AGED_SYMBOLS: readonly GeneratedSymbol[] = Array.from({ length: 63 }, (_, index) => ({
  ...GENERATED_SYMBOLS[index % 3]!,
  symbol: `COIN${index}USDT`,
}))

/** Trades of days, few of them: how many there were changes no size. */
export function agedTrades(of: GeneratedSymbol): ReturnType<typeof generatedTrades> {
  return generatedTrades(of, HOURS, TRADES_PER_SECOND)
}

/** A partition whose symbols have all been traded for days, as ingestor and aggregator leave it in an empty Redis. */
export async function fillAgedPartition(url: string): Promise<void> {
  const redis = await openRedis(url, 'bench')
  const queue = openBarQueue({ url })
  try {
    // It is connected when it has answered.
    await queue.waitingCount()
    const claim = await beginLog(
      redis,
      AGED_SYMBOLS.map(({ symbol }) => symbol),
    )
    const trades = AGED_SYMBOLS.map(agedTrades)
    let lastEntry = 0
    for (let hour = 0; hour < HOURS; hour++) {
      // After a halt: no bars are made for the time between.
      const blocks = AGED_SYMBOLS.map(({ symbol }, index) => ({
        ...blockOf(symbol, trades[index]!.slice(hour, hour + 1)),
        afterHalt: true,
      }))
      const answer = await appendEntry(redis, claim, blocks)
      if (answer.kind !== 'appended') throw new Error('the log refused an entry')
      lastEntry = answer.n
    }
    await aggregatorLoop({ url, redis, queue, lastEntry })
  } finally {
    await queue.close()
    redis.disconnect()
  }
}
