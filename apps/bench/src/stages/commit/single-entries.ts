import type { Trade } from '@chart/market'
import type { Redis } from 'ioredis'
import { printedTrade } from '../append/generated-trades.ts'

/** A log as one makes it first: an entry for each trade, a field for each of its values. */
export const STREAM = 'trades'
/** Entries of a read. */
export const READ_ENTRIES = 500

export type Entry = [id: string, fields: string[]]

/** Fills the stream; its entry ids are the trade ids. */
export async function fillStream(redis: Redis, trades: readonly Trade[]): Promise<void> {
  for (let start = 0; start < trades.length; start += READ_ENTRIES) {
    const pipeline = redis.pipeline()
    for (const trade of trades.slice(start, start + READ_ENTRIES)) {
      const { tradeId, tradeTime, price, quantity, side } = printedTrade(trade)
      pipeline.xadd(STREAM, `${tradeId}-0`, 't', tradeTime, 'p', price, 'q', quantity, 's', side)
    }
    await pipeline.exec()
  }
}

/** Reads the stream to the entry `last`, READ_ENTRIES at a time. */
export async function readStream(
  redis: Redis,
  last: number,
  onEntries: (entries: readonly Entry[]) => Promise<void> | void,
): Promise<void> {
  for (let after = '0'; Number.parseInt(after, 10) < last; ) {
    const reply = (await redis.xread('COUNT', READ_ENTRIES, 'STREAMS', STREAM, after)) as [string, Entry[]][]
    const entries = reply[0]![1]
    after = entries.at(-1)![0]
    await onEntries(entries)
  }
}
