import { parseArgs } from 'node:util'
import type { ChartEvent, StreamedBar } from '@chart/client'
import { type Command, type Io, UsageError } from './command.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'
import { timeOfOption } from './time-option.ts'

const USAGE = `usage: chart watch SYMBOL… [--interval 1m] [--since TIME] [--mode every-trade|latest|closed] [--rate N] [--json] [--address …]

Shows bars as they change, a line for each event: with every trade (the default), the latest only, or closed bars only. --since begins
with the closed bars that open at or after a time (2026-04-01T12:30, UTC). --rate shows each live bar at most N times a second.
On a terminal the live bars are redrawn in place; --json prints one object a line. When the edge goes away, another goes on where it
stopped; standard error says so, and which bars nobody keeps any more. Ctrl-C ends it.
${EDGE_USAGE}`

const MODES = ['every-trade', 'latest', 'closed'] as const
type Mode = (typeof MODES)[number]

/** Of a terminal that does not say how wide it is. */
const LINE_LENGTH = 80

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
    const show = values.json ? jsonLines(io) : linesOf(io)
    using client = openEdge(values)
    try {
      const events = client.events({
        symbols: positionals,
        intervals: values.interval.split(','),
        ...(since !== undefined && { since }),
        ...(mode !== undefined && { mode }),
        ...(rate !== undefined && { maxUpdatesPerSecond: rate }),
        signal: stop.signal,
        onReconnect: ({ details }) => io.stderr.write(`chart watch: ${details}; calling again\n`),
      })
      for await (const event of events) {
        if (event.event === 'gap') tellGap(event.gap, io)
        show(event)
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

function tellGap(gap: Extract<ChartEvent, { event: 'gap' }>['gap'], io: Io): void {
  const { symbol, interval, startTime, endTime } = gap
  const [from, to] = [startTime, endTime].map(timeText)
  io.stderr.write(`chart watch: bars of ${symbol} ${interval} from ${from} up to ${to} are not kept any more\n`)
}

type Show = (event: ChartEvent) => void

function jsonLines(io: Io): Show {
  return event => {
    io.stdout.write(`${JSON.stringify(objectOf(event))}\n`)
  }
}

function objectOf(event: ChartEvent): object {
  switch (event.event) {
    case 'heartbeat':
      return { type: event.event, feed: event.feed }
    case 'gap':
      return { type: event.event, gap: event.gap }
    default: {
      const { event: type, tradeTime, merged, ...bar } = event.bar
      return { type, ...(tradeTime !== undefined && { tradeTime }), ...(merged > 0 && { merged }), bar }
    }
  }
}

/** A line for each event; on a terminal the newest line of each series stays in its place. */
function linesOf(io: Io): Show {
  const terminal = io.stdout as { isTTY?: boolean; columns?: number }
  const isTerminal = terminal.isTTY === true
  const places = new Map<string, number>()
  return event => {
    if (event.event === 'heartbeat' || event.event === 'gap') return
    if (!isTerminal) {
      io.stdout.write(`${lineOf(event.bar)}\n`)
      return
    }
    // A line that wraps would be two, and the next redraw one line off.
    const line = lineOf(event.bar).slice(0, terminal.columns ?? LINE_LENGTH)
    const series = `${event.bar.symbol} ${event.bar.interval}`
    const known = places.get(series)
    if (known === undefined) {
      places.set(series, places.size)
      io.stdout.write(`${line}\n`)
    } else {
      const up = places.size - known
      io.stdout.write(`\x1b[${up}A\x1b[2K${line}\x1b[${up}B\r`)
    }
  }
}

function lineOf(bar: StreamedBar): string {
  const prices = `o ${bar.open}  h ${bar.high}  l ${bar.low}  c ${bar.close}`
  const proof = bar.complete ? 'complete' : 'incomplete'
  return `${bar.symbol} ${bar.interval}  ${timeText(bar.openTime)}  ${bar.event.padEnd(9)}  ${prices}  v ${bar.baseVolume}  trades ${bar.tradeCount}  ${proof}`
}

function timeText(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ')
}
