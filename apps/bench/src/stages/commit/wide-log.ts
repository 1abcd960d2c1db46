import { type AppendBlock, appendEntry, type RedisConnection } from '@chart/redis'
import { GENERATED_SYMBOLS, generatedTrades, START_TIME } from '../append/generated-trades.ts'
import { blockOf } from '../append/seeded-partition.ts'
import { beginLog } from './filled-log.ts'

/** As many as a partition has when 2,000 are dealt out to 32. */
export const PARTITION_SYMBOLS = 64
/** Of a symbol: 20,000 trades a second over 2,000 symbols. */
const PER_SECOND = 10
const NAMES = Array.from({ length: PARTITION_SYMBOLS }, (_, index) => `COIN${index}USDT`)

/** What the entries of a wide log carry. */
export interface WideEntries {
  readonly symbols: number
  /** Of each symbol; 0: a watermark a second after the one before, as the clock brings it to all symbols at once. */
  readonly trades: number
}

/**
 * Fills the log of a partition of many symbols with `entries` entries, the symbols in turn.
 * @returns number of the last entry
 */
export async function fillWideLog(redis: RedisConnection, entries: number, of: WideEntries): Promise<number> {
  const claim = await beginLog(redis, NAMES)
  const append = async (blocks: readonly AppendBlock[]) => {
    const answer = await appendEntry(redis, claim, blocks)
    if (answer.kind !== 'appended') throw new Error('the log refused an entry')
    return answer.n
  }
  // A symbol has to have traded before a watermark makes bars.
  const count = 1 + Math.ceil((entries * of.symbols) / PARTITION_SYMBOLS) * of.trades
  const runs = NAMES.map((symbol, index) =>
    generatedTrades({ ...GENERATED_SYMBOLS[index % 3]!, symbol }, count, PER_SECOND),
  )
  const next = NAMES.map(() => 1)
  let last = await append(NAMES.map((symbol, index) => blockOf(symbol, runs[index]!.slice(0, 1))))
  let turn = 0
  for (let entry = 1; entry <= entries; entry++) {
    const blocks: AppendBlock[] = []
    for (let index = 0; index < of.symbols; index++) {
      const at = turn++ % PARTITION_SYMBOLS
      const trades = runs[at]!.slice(next[at], next[at]! + of.trades)
      next[at]! += of.trades
      if (trades.length > 0) blocks.push(blockOf(NAMES[at]!, trades))
      else
        blocks.push({
          ...blockOf(NAMES[at]!, runs[at]!.slice(0, 1), START_TIME + entry * 1_000),
          expectedTradeId: 1,
          trades: [],
        })
    }
    last = await append(blocks)
  }
  return last
}
