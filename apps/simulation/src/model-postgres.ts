import type { BarText } from '@chart/market'
import { intervalOf } from '@chart/market'
import type { Postgres } from '@chart/postgres'
import type { Mutation } from './mutations.ts'
import type { Random } from './random.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

type Statement = Parameters<Postgres['query']>[0]

export interface PostgresFaults {
  /** Writes, and dies before it answers. */
  answerLost: number
  /** Writes seconds later, when the client has given up. */
  late: number
  away: boolean
}

const LATENCY = { shortest: 1, mean: 3, longest: 200 }
const LATE_MS = { min: 500, max: 5_000 }

/** A row of `bars`, with the names that bar-table.ts reads. */
interface Row {
  readonly symbol: string
  readonly interval: string
  readonly open_ms: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly base_volume: string
  readonly quote_volume: string
  readonly taker_buy_base_volume: string
  readonly taker_buy_quote_volume: string
  readonly trade_count: number
  readonly first_trade_id: number
  readonly last_trade_id: number
  readonly revision: number
  readonly complete: boolean
  readonly state: string
}

/**
 * The table `bars` under the statements of libs/postgres/src/bar-table.ts, told apart by their names.
 * tests/model-postgres.test.ts compares it with the real table.
 */
export class ModelPostgres {
  readonly faults: PostgresFaults = { answerLost: 0, late: 0, away: false }
  readonly rows = new Map<string, Row>()
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #tally: Tally
  readonly #guarded: boolean

  constructor(time: VirtualTime, random: Random, tally: Tally, mutation?: Mutation) {
    this.#time = time
    this.#random = random
    this.#tally = tally
    this.#guarded = mutation !== 'no-version-guard'
  }

  /** The pool of one process. */
  poolFor(owner: SimulatedProcess): Postgres {
    return {
      place: 'simulated',
      query: statement => this.#query(owner, statement) as never,
      withConnection: async () => {
        throw new Error('the simulation has no connections of their own')
      },
      check: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** Runs a statement at once. */
  run({ name, text, values = [] }: Statement): { rows: unknown[]; rowCount: number } {
    if (name === 'upsert-bars') return { rows: [], rowCount: this.#upsert(values as unknown[][]) }
    if (name?.startsWith('list-bars-')) {
      const rows = this.#list(name === 'list-bars-newest', values)
      return { rows, rowCount: rows.length }
    }
    if (name === 'list-corrections') {
      const rows = this.#corrections(values as unknown[][])
      return { rows, rowCount: rows.length }
    }
    if (text.startsWith('SELECT ensure_bar_month')) return { rows: [], rowCount: 1 }
    throw new Error(`the model of PostgreSQL does not know ${name ?? text}`)
  }

  /** The row of a bar as text. */
  barOf(symbol: string, interval: string, openTime: number): BarText | undefined {
    const row = this.rows.get(keyOf(symbol, interval, openTime))
    if (row === undefined) return undefined
    return {
      symbol,
      interval,
      openTime,
      closeTime: openTime + intervalOf(interval).intervalMs - 1,
      open: row.open,
      high: row.high,
      low: row.low,
      close: row.close,
      baseVolume: row.base_volume,
      quoteVolume: row.quote_volume,
      takerBuyBaseVolume: row.taker_buy_base_volume,
      takerBuyQuoteVolume: row.taker_buy_quote_volume,
      tradeCount: row.trade_count,
      firstTradeId: row.first_trade_id,
      lastTradeId: row.last_trade_id,
      state: 'closed',
      revision: row.revision,
      complete: row.complete,
    }
  }

  #query(owner: SimulatedProcess, statement: Statement): Promise<unknown> {
    const random = this.#random
    const { faults } = this
    const time = this.#time
    const isLate = random.chance(faults.late)
    const losesAnswer = isLate || random.chance(faults.answerLost)
    const latency = random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest)
    const arrival = isLate ? random.integer(LATE_MS.min, LATE_MS.max) : latency
    return new Promise((resolve, reject) => {
      const fail = () => {
        this.#tally.add('PostgreSQL errors')
        reject(Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }))
      }
      if (losesAnswer) time.after(2 * latency, fail, owner)
      const arrive = () => {
        if (faults.away) {
          if (!losesAnswer) time.after(1, fail, owner)
          return
        }
        const result = this.run(statement)
        if (!losesAnswer) time.after(latency, () => resolve(result), owner)
      }
      time.at(time.now + arrival, arrive, undefined)
    })
  }

  #upsert(columns: unknown[][]): number {
    let written = 0
    for (let index = 0; index < columns[0]!.length; index++) {
      const row = rowOf(columns.map(column => column[index]))
      const key = keyOf(row.symbol, row.interval, row.open_ms)
      const known = this.rows.get(key)
      if (known !== undefined && this.#guarded && !isOlder(known, row)) continue
      this.rows.set(key, row)
      written++
    }
    return written
  }

  #list(newest: boolean, [symbol, interval, from, to, limit]: readonly unknown[]): Row[] {
    const start = momentOf(from as string)
    const end = momentOf(to as string)
    const rows = [...this.rows.values()].filter(
      row => row.symbol === symbol && row.interval === interval && row.open_ms >= start && row.open_ms < end,
    )
    rows.sort((a, b) => (newest ? b.open_ms - a.open_ms : a.open_ms - b.open_ms))
    return rows.slice(0, limit as number)
  }

  /** The newest first. */
  #corrections([symbols, intervals, froms, tos]: readonly unknown[][]): Row[] {
    const rows = symbols!.flatMap((symbol, index) =>
      this.#list(true, [symbol, intervals![index], froms![index], tos![index], Number.POSITIVE_INFINITY]),
    )
    return rows.filter(row => row.revision > 0).sort((a, b) => b.open_ms - a.open_ms)
  }
}

/** The guard of the upsert: (made of trades, last trade id, trade count, revision, complete). */
function isOlder(known: Row, row: Row): boolean {
  if ((known.state === 'imported') !== (row.state === 'imported')) return known.state === 'imported'
  if (known.last_trade_id !== row.last_trade_id) return known.last_trade_id < row.last_trade_id
  if (known.trade_count !== row.trade_count) return known.trade_count < row.trade_count
  if (known.revision !== row.revision) return known.revision < row.revision
  return row.complete && !known.complete
}

function rowOf(values: readonly unknown[]): Row {
  const [symbol, interval, open_time, open, high, low, close, base_volume, quote_volume, ...rest] = values as string[]
  const [taker_buy_base_volume, taker_buy_quote_volume, trade_count, first_trade_id, last_trade_id, revision] = rest
  return {
    symbol,
    interval,
    open_ms: momentOf(open_time!),
    open,
    high,
    low,
    close,
    base_volume,
    quote_volume,
    taker_buy_base_volume,
    taker_buy_quote_volume,
    trade_count,
    first_trade_id,
    last_trade_id,
    revision,
    complete: values[15],
    state: values[16],
  } as unknown as Row
}

function momentOf(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  return Date.parse(text)
}

function keyOf(symbol: string, interval: string, openTime: number): string {
  return `${symbol} ${interval} ${openTime}`
}
