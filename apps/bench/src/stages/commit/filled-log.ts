import type { Trade } from '@chart/market'
import { appendEntry, type Claim, type RedisConnection, registerSymbols } from '@chart/redis'
import type { GeneratedSymbol } from '../append/generated-trades.ts'
import { blockOf, claimed, seedLog } from '../append/seeded-partition.ts'

/** The only partition. */
export const TAG = '{p00}'

/** What the exchange says of a symbol, as far as Redis is to know it. */
const INFO = {
  status: 'TRADING',
  tickSize: '0.01000000',
  stepSize: '0.00001000',
  simulated: true,
  priceScale: 8,
  quantityScale: 8,
  quoteScale: 8,
}

/** Registers `symbols` in one partition and begins its log. */
export async function beginLog(redis: RedisConnection, symbols: readonly string[]): Promise<Claim> {
  await registerSymbols(
    redis,
    symbols.map(symbol => ({ symbol, ...INFO })),
    1,
  )
  const claim = await claimed(redis, TAG, 'ingest')
  await seedLog(redis, claim, symbols)
  return claim
}

/** What the ingestor holds back behind the exchange's clock, and its step. */
const WATERMARK_LAG_MS = 500
const WATERMARK_STEP_MS = 1_000

/** The watermark that goes along with `trade` as the last of an entry. */
export function watermarkAfter(trade: Trade): number {
  const time = trade.tradeTime - WATERMARK_LAG_MS
  return time - (time % WATERMARK_STEP_MS)
}

/**
 * Fills the log with entries as the ingestor appends them, of `entryTrades` trades and with a watermark once a second.
 * @returns number of the last entry
 */
export async function fillLog(
  redis: RedisConnection,
  { symbol }: GeneratedSymbol,
  trades: readonly Trade[],
  entryTrades: number,
): Promise<number> {
  const claim = await beginLog(redis, [symbol])
  let promised = 0
  let last = 0
  for (let start = 0; start < trades.length; start += entryTrades) {
    const run = trades.slice(start, start + entryTrades)
    const watermark = watermarkAfter(run[run.length - 1]!)
    const block = blockOf(symbol, run, watermark > promised ? watermark : 0)
    promised = Math.max(promised, watermark)
    const answer = await appendEntry(redis, claim, [block])
    if (answer.kind !== 'appended') throw new Error(`the log refused trade ${run[0]!.tradeId}`)
    last = answer.n
  }
  return last
}
