import { parseArgs } from 'node:util'
import { openBarClient, timeOfTimestamp } from '@chart/grpc'
import { columns } from './bars.ts'
import type { Command } from './command.ts'
import { readDefaults } from './config.ts'
import { tellCallFailure } from './edge-errors.ts'

const USAGE = `usage: chart symbols [--json] [--address HOST:PORT]

Prints what is served and how each feed is.
`

export const symbols: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        address: { type: 'string', default: readDefaults().address },
      },
    })
    using client = openBarClient(values.address)
    try {
      const answer = await client.listSymbols()
      if (values.json) {
        for (const info of answer.symbols) io.stdout.write(`${JSON.stringify(info)}\n`)
        return 0
      }
      const rows = answer.symbols.map(info => [
        info.symbol,
        info.status,
        info.feed.state.replace('FEED_STATE_', '').toLowerCase(),
        String(info.feed.lastTradeId),
        new Date(timeOfTimestamp(info.feed.lastTradeTime) ?? 0).toISOString().slice(0, 23).replace('T', ' '),
        info.tickSize,
        info.intervals.join(' '),
      ])
      io.stdout.write(
        columns([['symbol', 'status', 'feed', 'last trade id', 'last trade time', 'tick', 'intervals'], ...rows]),
      )
      return 0
    } catch (error) {
      return tellCallFailure(error, values.address, io)
    }
  },
}
