import { appendEntry, openBarQueue, openRedis } from '@chart/redis'
import { GENERATED_SYMBOLS, type GeneratedSymbol, generatedTrades } from '../append/generated-trades.ts'
import { blockOf } from '../append/seeded-partition.ts'
import { aggregatorLoop } from '../commit/aggregator-loop.ts'
import { beginLog } from '../commit/filled-log.ts'

/** So that the fourth day has begun: each interval then has all the closed bars that are kept of it. */
const HOURS = 80
/** An hour apart: how many trades there were changes no size. */
const TRADES_PER_SECOND = 1 / 3_600
/** Of a commit, so that none of them is huge. */
const COMMIT_ENTRIES = 4

/** `count` symbols of three kinds. */
export function manySymbols(count: number): GeneratedSymbol[] {
  return Array.from({ length: count }, (_, index) => ({
    ...GENERATED_SYMBOLS[index % GENERATED_SYMBOLS.length]!,
    symbol: `COIN${index}USDT`,
  }))
}

/**
 * Makes a partition in an empty Redis whose symbols have all been traded for days, as ingestor and aggregator leave it; no closed bar
 * waits for PostgreSQL.
 * @param onEnd called before its aggregator lets go of what it holds
 */
export async function agePartition(url: string, symbols: readonly GeneratedSymbol[], onEnd = () => {}): Promise<void> {
  const redis = await openRedis(url, 'bench')
  const queue = openBarQueue({ url })
  try {
    const lastEntry = await fillAgedLog(redis, symbols)
    const persistedIntervals = new Set<string>()
    await aggregatorLoop({ url, redis, queue, lastEntry, entriesMax: COMMIT_ENTRIES, persistedIntervals, onEnd })
  } finally {
    await queue.close()
    redis.disconnect()
  }
}

async function fillAgedLog(
  redis: Parameters<typeof beginLog>[0],
  symbols: readonly GeneratedSymbol[],
): Promise<number> {
  const claim = await beginLog(
    redis,
    symbols.map(({ symbol }) => symbol),
  )
  const trades = symbols.map(of => generatedTrades(of, HOURS, TRADES_PER_SECOND))
  let last = 0
  for (let hour = 0; hour < HOURS; hour++) {
    // After a halt: no bars are made for the time between.
    const blocks = symbols.map(({ symbol }, index) => ({
      ...blockOf(symbol, trades[index]!.slice(hour, hour + 1)),
      afterHalt: true,
    }))
    const answer = await appendEntry(redis, claim, blocks)
    if (answer.kind !== 'appended') throw new Error('the log refused an entry')
    last = answer.n
  }
  return last
}
