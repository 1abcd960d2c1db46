import { parseArgs } from 'node:util'
import type { BarText } from '@chart/market'
import { type Command, UsageError } from './command.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'

const USAGE = `usage: chart bars SYMBOL [--interval 1m] [--limit 20] [--json] [--address …]

Prints the newest bars, oldest first; the last one is the live bar. A closed bar is "verified" when the exchange's own bar has the
same numbers, and "imported" when it was taken over from it.
${EDGE_USAGE}`

/** Bars that one answer holds at most. */
const LIMIT_MAX = 1_000

export const bars: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        interval: { type: 'string', default: '1m' },
        limit: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
        ...EDGE_OPTIONS,
      },
    })
    const [symbol, ...more] = positionals
    if (symbol === undefined || more.length > 0) throw new UsageError('name one symbol, such as BTCUSDT')
    const limit = Number(values.limit)
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new UsageError(`--limit must be a whole number from 1 to ${LIMIT_MAX}, not "${values.limit}"`)
    }
    using client = openEdge(values)
    try {
      const page = await client.listBarsPage({
        symbol,
        interval: values.interval,
        pageSize: limit,
        order: 'newest-first',
        includeLive: true,
      })
      const found = page.bars.toReversed()
      io.stdout.write(values.json ? found.map(bar => `${JSON.stringify(bar)}\n`).join('') : tableOf(found))
      return 0
    } catch (error) {
      return tellCallFailure(error, client.address, io)
    }
  },
}

function tableOf(found: readonly BarText[]): string {
  const rows = [
    ['open time', 'open', 'high', 'low', 'close', 'base volume', 'quote volume', 'trades', 'state', 'complete'],
    ...found.map(bar => [
      new Date(bar.openTime).toISOString().slice(0, 19).replace('T', ' '),
      bar.open,
      bar.high,
      bar.low,
      bar.close,
      bar.baseVolume,
      bar.quoteVolume,
      String(bar.tradeCount),
      stateOf(bar),
      bar.complete ? 'yes' : 'no',
    ]),
  ]
  return columns(rows)
}

/** `live`, `closed`, `verified` or `imported`, with the number of corrections. */
function stateOf({ state, proof, revision }: BarText): string {
  return revision > 0 ? `${proof ?? state} r${revision}` : (proof ?? state)
}

/** Rows of text in columns, the first left and the others right aligned. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .map(line => `${line.trimEnd()}\n`)
    .join('')
}
