import { parseArgs } from 'node:util'
import type { ChartEvent } from '@chart/client'
import { type Command, UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'
import { timeOfOption } from './time-option.ts'
import { openWatchOutput } from './watch-output.ts'
import { timeText } from './watched-series.ts'

const USAGE = `usage: chart watch SYMBOL… [--interval 1m] [--since TIME] [--mode every-trade|latest|closed] [--rate N] [--json] [--address …]

Shows bars as they change, a line for each event: with every trade (the default), the latest only, or closed bars only. --since begins
with the closed bars that open at or after a time (2026-04-01T12:30, UTC). --rate shows each live bar at most N times a second.
On a terminal each series has a row that is redrawn in place, with its last closes as a line and the state of its feed; columns that have
no room are left out. --json prints one object a line. When the edge goes away, another goes on where it stopped; standard error (on a
terminal, the last rows) says so, and which bars nobody keeps any more. Colours are left out with NO_COLOR. Ctrl-C ends it.
${EDGE_USAGE}`

const MODES = ['every-trade', 'latest', 'closed'] as const
type Mode = (typeof MODES)[number]

export const watch: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        interval: { type: 'string', default: '1m' },
        since: { type: 'string' },
        mode: { type: 'string' },
        rate: { type: 'string' },
        json: { type: 'boolean', default: false },
        ...EDGE_OPTIONS,
      },
    })
    if (positionals.length === 0) throw new UsageError('name at least one symbol, such as BTCUSDT')
    const mode = modeOf(values.mode)
    const rate = rateOf(values.rate)
    if (rate !== undefined && mode !== undefined && mode !== 'latest')
      throw new UsageError('--rate goes with --mode latest')
    const since = values.since === undefined ? undefined : timeOfOption('--since', values.since)
    const stop = new AbortController()
    const end = () => stop.abort()
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
    io.stdout.once('error', end)
    using output = openWatchOutput(io, { json: values.json, terminal: readDefaults().terminal })
    using client = openEdge(values)
    try {
      const events = client.events({
        symbols: positionals,
        intervals: values.interval.split(','),
        ...(since !== undefined && { since }),
        ...(mode !== undefined && { mode }),
        ...(rate !== undefined && { maxUpdatesPerSecond: rate }),
        signal: stop.signal,
        onReconnect: ({ details }) => output.note(`${details}; calling again`),
      })
      for await (const event of events) {
        if (event.event === 'gap') output.note(gapText(event.gap))
        output.show(event)
      }
    } catch (error) {
      return tellCallFailure(error, client.address, io)
    }
    return 0
  },
}

function modeOf(text: string | undefined): Mode | undefined {
  if (text === undefined) return undefined
  const mode = MODES.find(one => one === text)
  if (mode === undefined) throw new UsageError(`--mode is one of ${MODES.join(', ')}`)
  return mode
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const rate = Number(text)
  if (!(rate > 0))
    throw new UsageError(`--rate must be a number of live bars a second, such as 2 or 0.5, not "${text}"`)
  return rate
}

function gapText({ symbol, interval, startTime, endTime }: Extract<ChartEvent, { event: 'gap' }>['gap']): string {
  return `bars of ${symbol} ${interval} from ${timeText(startTime)} up to ${timeText(endTime)} are not kept any more`
}
