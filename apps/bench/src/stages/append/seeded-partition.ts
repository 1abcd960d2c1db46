import { EXCHANGE_SCALES } from '@chart/market'
import { type AppendBlock, appendEntry, type Claim, claimPartition, type RedisConnection } from '@chart/redis'
import { START_TIME } from './generated-trades.ts'

/** Longer than any run: nobody renews it. */
const LEASE_MS = 3_600_000

/** Claims partition `tag` for one kind of work, by force. */
export async function claimed(redis: RedisConnection, tag: string, work: Claim['work']): Promise<Claim> {
  const claim = await claimPartition(redis, { tag, work, owner: 'bench', leaseMs: LEASE_MS, force: true })
  if (claim === undefined) throw new Error(`a forced claim of ${tag} was refused`)
  return claim
}

/** A block that goes on after `expectedTradeId`. */
export function blockOf(symbol: string, trades: AppendBlock['trades'], watermark = 0): AppendBlock {
  return {
    symbol,
    expectedTradeId: trades[0]!.tradeId - 1,
    trades,
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark,
    feedState: 'live',
  }
}

/** Begins the log of each symbol before trade 1, as the ingestor does, in one entry. */
export async function seedLog(redis: RedisConnection, claim: Claim, symbols: readonly string[]): Promise<void> {
  const seed = { lastTradeId: 0, sinceTime: START_TIME, scales: EXCHANGE_SCALES }
  const blocks = symbols.map(symbol => ({
    symbol,
    expectedTradeId: undefined,
    seed,
    trades: [],
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: 'live' as const,
  }))
  const answer = await appendEntry(redis, claim, blocks)
  if (answer.kind !== 'appended') throw new Error(`the log of ${claim.tag} has been begun before`)
}
