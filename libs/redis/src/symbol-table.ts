import { partitionOf } from '@chart/market'
import type { RedisCommands } from './connection.ts'
import { infoKey, partitionTag, SYMBOLS_KEY } from './keys.ts'

/** What the exchange says about a symbol, kept for those who only read Redis. */
export interface SymbolInfo {
  readonly symbol: string
  /** The exchange's word: TRADING, HALT, BREAK. */
  readonly status: string
  readonly tickSize: string
  readonly stepSize: string
  /** True when its trades are invented by a simulator. */
  readonly simulated: boolean
  readonly priceScale: number
  readonly quantityScale: number
  readonly quoteScale: number
}

/** A symbol was registered under another number of partitions. */
export class PartitionsChangedError extends Error {
  override name = 'PartitionsChangedError'
}

/** The tag of a symbol's partition, `{p07}`. */
export function tagOf(symbol: string, partitions: number): string {
  return partitionTag(partitionOf(symbol, partitions))
}

/**
 * Registers `infos` as served and writes what is known of each.
 * @throws PartitionsChangedError when Redis knows a symbol under another tag: PARTITIONS is fixed for a deployment's life
 */
export async function registerSymbols(
  redis: RedisCommands,
  infos: readonly SymbolInfo[],
  partitions: number,
): Promise<void> {
  if (infos.length === 0) return
  const known = await redis.hmget(SYMBOLS_KEY, ...infos.map(({ symbol }) => symbol))
  // All are looked at before any is written: one that is new must not settle where a wrong number puts it.
  for (const [index, { symbol }] of infos.entries()) checkTag(symbol, known[index], partitions)
  await Promise.all(
    infos.map(async ({ symbol, simulated, ...info }) => {
      const tag = tagOf(symbol, partitions)
      await redis.hsetnx(SYMBOLS_KEY, symbol, tag)
      checkTag(symbol, await redis.hget(SYMBOLS_KEY, symbol), partitions)
      await redis.hset(infoKey(tag, symbol), { ...info, simulated: String(simulated) })
    }),
  )
}

function checkTag(symbol: string, known: string | null | undefined, partitions: number): void {
  const tag = tagOf(symbol, partitions)
  if (!known || known === tag) return
  throw new PartitionsChangedError(
    `${symbol} belongs to partition ${known} in Redis and to ${tag} with PARTITIONS=${partitions}; set PARTITIONS as it was, or start with an empty Redis`,
  )
}

/** Symbol → partition tag of everything that is served. */
export async function readSymbols(redis: RedisCommands): Promise<Map<string, string>> {
  return new Map(Object.entries(await redis.hgetall(SYMBOLS_KEY)))
}

/** What is known of `symbols`, in their order. */
export async function readSymbolInfos(
  redis: RedisCommands,
  symbols: readonly { tag: string; symbol: string }[],
): Promise<SymbolInfo[]> {
  const replies = await Promise.all(symbols.map(({ tag, symbol }) => redis.hgetall(infoKey(tag, symbol))))
  return replies.map((fields, index) => ({
    symbol: symbols[index]!.symbol,
    status: fields.status ?? '',
    tickSize: fields.tickSize ?? '',
    stepSize: fields.stepSize ?? '',
    simulated: fields.simulated === 'true',
    priceScale: Number(fields.priceScale ?? 0),
    quantityScale: Number(fields.quantityScale ?? 0),
    quoteScale: Number(fields.quoteScale ?? 0),
  }))
}
