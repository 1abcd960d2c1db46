import { parseArgs } from 'node:util'
import { columns } from './bars.ts'
import type { Command } from './command.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'

const USAGE = `usage: chart symbols [--json] [--address …]

Prints what is served and how each feed is.
${EDGE_USAGE}`

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
      const rows = served.map(info => [
        info.symbol,
        info.status,
        info.feed.state ?? 'unspecified',
        String(info.feed.lastTradeId),
        new Date(info.feed.lastTradeTime ?? 0).toISOString().slice(0, 23).replace('T', ' '),
        info.tickSize,
        info.intervals.join(' '),
      ])
      io.stdout.write(
        columns([['symbol', 'status', 'feed', 'last trade id', 'last trade time', 'tick', 'intervals'], ...rows]),
      )
      return 0
    } catch (error) {
      return tellCallFailure(error, client.address, io)
    }
  },
}
