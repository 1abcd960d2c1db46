import { parseArgs } from 'node:util'
import type { BarText } from '@chart/market'
import { type Cell, type Column, type Paint, paintFor, tableText, toneOfChange } from '@chart/terminal'
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
      io.stdout.write(
        values.json ? found.map(bar => `${JSON.stringify(bar)}\n`).join('') : tableOf(found, paintFor(io.stdout)),
      )
      return 0
    } catch (error) {
      return tellCallFailure(error, client.address, io)
    }
  },
}

const HEADS = ['open', 'high', 'low', 'close', 'base volume', 'quote volume', 'trades', 'state', 'complete']
const COLUMNS: readonly Column[] = [{ head: 'open time' }, ...HEADS.map(head => ({ head, align: 'right' }) as const)]

function tableOf(found: readonly BarText[], paint: Paint): string {
  const rows = found.map((bar): Cell[] => [
    new Date(bar.openTime).toISOString().slice(0, 19).replace('T', ' '),
    bar.open,
    bar.high,
    bar.low,
    { text: bar.close, tone: toneOfChange(Number(bar.close), Number(bar.open)) },
    bar.baseVolume,
    bar.quoteVolume,
    String(bar.tradeCount),
    stateOf(bar),
    { text: bar.complete ? 'yes' : 'no', tone: bar.complete ? 'plain' : 'warning' },
  ])
  return tableText(COLUMNS, rows, paint)
}

/** `live`, `closed`, `verified` or `imported`, with the number of corrections. */
function stateOf({ state, proof, revision }: BarText): string {
  return revision > 0 ? `${proof ?? state} r${revision}` : (proof ?? state)
}
