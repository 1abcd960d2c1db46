import { countBars, listBars, newestBars, type Postgres } from '@chart/postgres'
import { type RedisCommands, readFeedStatus, readLiveBars, readSymbols } from '@chart/redis'
import { SPARKLINE_VALUES } from '@chart/terminal'
import type { SymbolView } from './snapshot.ts'
import { createTradeRate } from './trade-rate.ts'

/** What the two stores say, and what they do not. */
export type StoredView = {
  readonly symbols: readonly SymbolView[]
  readonly rows?: number
  readonly faults: readonly string[]
}

const rowsEveryMs = 2_000
/** Rows are counted by reading them all; at most this share of PostgreSQL's time goes into that. */
const rowsShare = 0.05

/**
 * Reads Redis each time it is asked, and PostgreSQL in the background, less often the longer it takes. What cannot be
 * read stays as it was last read, with a word about it.
 */
export function createSnapshotReader(options: {
  readonly redis: RedisCommands
  readonly postgres: Postgres
  readonly symbols: readonly string[]
  readonly now?: () => number
}): () => Promise<StoredView> {
  const { redis, postgres, symbols, now = Date.now } = options
  const rates = new Map(symbols.map(symbol => [symbol, createTradeRate()]))
  const rows = createRowsReader(postgres, symbols)
  let known: readonly SymbolView[] = symbols.map(symbol => ({ symbol }))

  const readRedis = async () => {
    const tags = await readSymbols(redis)
    const served = symbols.flatMap(symbol => {
      const tag = tags.get(symbol)
      return tag === undefined ? [] : [{ symbol, tag }]
    })
    const [bars, feeds] = await Promise.all([
      Promise.all(served.map(({ symbol, tag }) => readLiveBars(redis, tag, symbol, ['1m']))),
      readFeedStatus(redis, served),
    ])
    const views = served.map(({ symbol }, index): SymbolView => {
      const bar = bars[index]?.[0]?.bar
      const { state, lastTradeId } = feeds[index]!
      const rate = lastTradeId < 0 ? undefined : rates.get(symbol)!(lastTradeId, now())
      return {
        symbol,
        ...(bar !== undefined && { bar }),
        ...(state !== undefined && { feedState: state }),
        ...(rate !== undefined && { tradesPerSecond: rate }),
      }
    })
    known = symbols.map(symbol => views.find(view => view.symbol === symbol) ?? { symbol })
  }

  return async () => {
    const redisFault = await faultOf('Redis', readRedis)
    const { newest, total, fault: postgresFault } = rows()
    return {
      symbols: known.map(view => ({ ...view, ...newest.get(view.symbol) })),
      ...(total !== undefined && { rows: total }),
      faults: [redisFault, postgresFault].filter(fault => fault !== undefined),
    }
  }
}

/** The newest 1m bars of a symbol that are rows. */
type Stored = { readonly newestRowTime: number; readonly closes: readonly string[] }

type Rows = { readonly newest: ReadonlyMap<string, Stored>; readonly total?: number; readonly fault?: string }

/** Gives what is known at once, and sees to it that more will be. */
function createRowsReader(postgres: Postgres, symbols: readonly string[]): () => Rows {
  let rows: Rows = { newest: new Map() }
  let nextTime = 0
  const refresh = async () => {
    nextTime = Number.POSITIVE_INFINITY
    const startedTime = Date.now()
    const fault = await faultOf('PostgreSQL', async () => {
      const [newest, total] = await Promise.all([newestBars(postgres, '1m'), countBars(postgres)])
      const shown = newest.filter(({ symbol }) => symbols.includes(symbol))
      rows = { newest: await readStored(postgres, shown, rows.newest), total }
    })
    if (fault !== undefined) rows = { ...rows, fault }
    nextTime = Date.now() + Math.max(rowsEveryMs, (Date.now() - startedTime) / rowsShare)
  }
  return () => {
    if (Date.now() >= nextTime) void refresh()
    return rows
  }
}

/** Closes are read once for each new row, not at each look. */
async function readStored(
  postgres: Postgres,
  newest: readonly { readonly symbol: string; readonly openTime: number }[],
  known: ReadonlyMap<string, Stored>,
): Promise<Map<string, Stored>> {
  const stored = newest.map(async ({ symbol, openTime }) => {
    const before = known.get(symbol)
    if (before?.newestRowTime === openTime) return [symbol, before] as const
    const bars = await listBars(postgres, { symbol, interval: '1m', order: 'newest', limit: SPARKLINE_VALUES })
    return [symbol, { newestRowTime: openTime, closes: bars.map(({ close }) => close).reverse() }] as const
  })
  return new Map(await Promise.all(stored))
}

async function faultOf(name: string, read: () => Promise<void>): Promise<string | undefined> {
  try {
    await read()
    return undefined
  } catch (error) {
    return `${name} cannot be read: ${(error as Error).message}`
  }
}
