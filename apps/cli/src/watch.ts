import { parseArgs } from 'node:util'
import { type BarEventMessage, barOfMessage, openBarClient, type StreamBarsRequest, timeOfTimestamp } from '@chart/grpc'
import { type Command, type Io, UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { tellCallFailure } from './edge-errors.ts'

const USAGE = `usage: chart watch SYMBOL… [--interval 1m] [--mode every-trade|latest|closed] [--json] [--address HOST:PORT]

Shows bars as they change, a line for each event: with every trade (the default), the latest only, or closed bars only.
On a terminal the live bars are redrawn in place; --json prints one object a line. Ctrl-C ends it.
`

const MODES: Readonly<Record<string, StreamBarsRequest['mode']>> = {
  'every-trade': 'STREAM_MODE_EVERY_TRADE',
  latest: 'STREAM_MODE_LATEST',
  closed: 'STREAM_MODE_CLOSED',
}

/** Pause before a call that the service ended is made again; 0.5 to 1.5 times it, so that not all come back at once. */
const RECONNECT_MS = 1_000
const UNAVAILABLE = 14

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
        mode: { type: 'string', default: 'every-trade' },
        json: { type: 'boolean', default: false },
        address: { type: 'string', default: readDefaults().address },
      },
    })
    if (positionals.length === 0) throw new UsageError('name at least one symbol, such as BTCUSDT')
    const mode = MODES[values.mode]
    if (mode === undefined) throw new UsageError(`--mode is one of ${Object.keys(MODES).join(', ')}`)
    const request = { symbols: positionals, intervals: values.interval.split(','), mode }
    const stop = new AbortController()
    const end = () => stop.abort()
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
    io.stdout.once('error', end)
    const show = values.json ? jsonLines(io) : linesOf(io)
    using client = openBarClient(values.address)
    for (let reached = false; !stop.signal.aborted; ) {
      try {
        for await (const { events } of client.streamBars(request, stop.signal)) {
          reached = true
          show(events)
        }
      } catch (error) {
        // A service that was there is restarting; one that never answered is not there.
        if ((error as { code?: number }).code !== UNAVAILABLE || !reached)
          return tellCallFailure(error, values.address, io)
        io.stderr.write('chart watch: the stream ended; calling again\n')
      }
      if (!stop.signal.aborted) await new Promise(resolve => setTimeout(resolve, RECONNECT_MS * (0.5 + Math.random())))
    }
    return 0
  },
}

type Show = (events: readonly BarEventMessage[]) => void

function jsonLines(io: Io): Show {
  return events => {
    for (const event of events) {
      const bar = event.bar === null ? undefined : barOfMessage(event.bar)
      const type = event.type.replace('BAR_EVENT_TYPE_', '').toLowerCase()
      const tradeTime = timeOfTimestamp(event.tradeTime)
      io.stdout.write(
        `${JSON.stringify({ type, ...(tradeTime !== undefined && { tradeTime }), bar, feed: event.feed ?? undefined })}\n`,
      )
    }
  }
}

/** A line for each event; on a terminal the newest line of each series stays in its place. */
function linesOf(io: Io): Show {
  const terminal = io.stdout as { isTTY?: boolean; columns?: number }
  const isTerminal = terminal.isTTY === true
  const places = new Map<string, number>()
  return events => {
    let text = ''
    for (const event of events) {
      if (event.bar === null) continue
      if (!isTerminal) {
        text += `${lineOf(event)}\n`
        continue
      }
      // A line that wraps would be two, and the next redraw one line off.
      const line = lineOf(event).slice(0, terminal.columns ?? LINE_LENGTH)
      const series = `${event.bar.symbol} ${event.bar.interval}`
      const known = places.get(series)
      if (known === undefined) {
        places.set(series, places.size)
        text += `${line}\n`
      } else {
        const up = places.size - known
        text += `\x1b[${up}A\x1b[2K${line}\x1b[${up}B\r`
      }
    }
    if (text !== '') io.stdout.write(text)
  }
}

function lineOf(event: BarEventMessage): string {
  const bar = barOfMessage(event.bar!)
  const type = event.type.replace('BAR_EVENT_TYPE_', '').toLowerCase().padEnd(9)
  const openTime = new Date(bar.openTime).toISOString().slice(0, 19).replace('T', ' ')
  const prices = `o ${bar.open}  h ${bar.high}  l ${bar.low}  c ${bar.close}`
  const proof = bar.complete ? 'complete' : 'incomplete'
  return `${bar.symbol} ${bar.interval}  ${openTime}  ${type}  ${prices}  v ${bar.baseVolume}  trades ${bar.tradeCount}  ${proof}`
}
