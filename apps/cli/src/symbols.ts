import { parseArgs } from 'node:util'
import { type Cell, type Column, paintFor, tableText, toneOfFeed } from '@chart/terminal'
import type { Command } from './command.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'

const USAGE = `usage: chart symbols [--json] [--address …]

Prints what is served and how each feed is.
${EDGE_USAGE}`

const HEADS = ['status', 'feed', 'last trade id', 'last trade time', 'tick', 'intervals']
const COLUMNS: readonly Column[] = [{ head: 'symbol' }, ...HEADS.map(head => ({ head, align: 'right' }) as const)]

export const symbols: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        ...EDGE_OPTIONS,
      },
    })
    using client = openEdge(values)
    try {
      const served = await client.symbols()
      if (values.json) {
        for (const info of served) io.stdout.write(`${JSON.stringify(info)}\n`)
        return 0
      }
      const rows = served.map((info): Cell[] => [
        info.symbol,
        info.status,
        { text: info.feed.state ?? 'unspecified', tone: toneOfFeed(info.feed.state) },
        String(info.feed.lastTradeId),
        new Date(info.feed.lastTradeTime ?? 0).toISOString().slice(0, 23).replace('T', ' '),
        info.tickSize,
        info.intervals.join(' '),
      ])
      io.stdout.write(tableText(COLUMNS, rows, paintFor(io.stdout)))
      return 0
    } catch (error) {
      return tellCallFailure(error, client.address, io)
    }
  },
}
