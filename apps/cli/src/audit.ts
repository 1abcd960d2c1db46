import { parseArgs } from 'node:util'
import { BinanceRest, RestError } from '@chart/binance'
import type { ChartClient } from '@chart/client'
import { type BarText, findInterval, type Interval, KNOWN_INTERVALS, openTimeOf } from '@chart/market'
import { auditRange, type Finding, newTally, type Tally } from './audit-range.ts'
import { openLineOutput } from './bar-output.ts'
import { type Command, UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { tellCallFailure } from './edge-errors.ts'
import { EDGE_OPTIONS, EDGE_USAGE, openEdge } from './edge-options.ts'
import { exchangeOfLocalRun } from './local-run.ts'
import { timeOfOption } from './time-option.ts'

const USAGE = `usage: chart audit SYMBOL --from TIME --to TIME [--interval 1m] [--json] [--exchange URL] [--address …]

Compares the stored bars that open in the range (--from inclusive, --to exclusive) with the exchange's own, and says for
each bar that differs in which field, with both values; also which bars are missing, and which the exchange does not have.
Times are ISO 8601, UTC unless they say otherwise: 2026-04-01, 2026-04-01T12:30, 2026-04-01T12:30:00Z. Bars that have not
ended yet are left out. --json prints one object a line. Exit status: 0 all equal, 1 something differs or an address does
not answer, 2 asked wrongly.

The exchange is --exchange or BINANCE_API_URL; without them that of the service that npm start runs here, if it is at the
address, which may be the simulator; else https://api.binance.com.
${EDGE_USAGE}`

const BINANCE = 'https://api.binance.com'

/** Bars of one step: one call of the exchange and one page of the service, of which both give no more. */
const STEP_BARS = 1_000

export const audit: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        interval: { type: 'string', default: '1m' },
        json: { type: 'boolean', default: false },
        exchange: { type: 'string' },
        ...EDGE_OPTIONS,
      },
    })
    const [symbol, ...more] = positionals
    if (symbol === undefined || more.length > 0) throw new UsageError('name one symbol, such as BTCUSDT')
    const interval = findInterval(values.interval)
    if (interval === undefined) {
      throw new UsageError(`--interval is one of ${KNOWN_INTERVALS.map(({ name }) => name).join(', ')}`)
    }
    const from = Math.ceil(timeOfOption('--from', values.from) / interval.intervalMs) * interval.intervalMs
    const to = timeOfOption('--to', values.to)
    if (to <= from) throw new UsageError('--to must be at least one bar after --from')
    const { exchangeUrl, dataDir, address: defaultAddress } = readDefaults()
    const localExchange = exchangeOfLocalRun(dataDir, values.address ?? defaultAddress)
    const apiUrl = values.exchange ?? exchangeUrl ?? localExchange ?? BINANCE
    if (!URL.canParse(apiUrl)) throw new UsageError('--exchange must be a URL such as https://api.binance.com')
    const output = openLineOutput(io.stdout)
    using client = openEdge(values)
    try {
      const rest = new BinanceRest({ apiUrl })
      const end = Math.min(to, openTimeOf(interval, await rest.serverTime()))
      const tally = newTally()
      for await (const finding of findingsOf(symbol, interval, from, end, rest, client, tally)) {
        for (const line of values.json ? [JSON.stringify(finding)] : linesOf(finding)) await output.write(line)
      }
      await output.write(values.json ? JSON.stringify({ kind: 'summary', ...tally }) : summaryOf(tally, apiUrl))
      return tally.differs + tally.missing + tally.surplus === 0 ? 0 : 1
    } catch (error) {
      if (!(error instanceof RestError)) return tellCallFailure(error, client.address, io)
      io.stderr.write(`chart audit: the exchange at ${apiUrl}: ${error.message}\n`)
      return 1
    } finally {
      await output.flush()
    }
  },
}

async function* findingsOf(
  symbol: string,
  interval: Interval,
  from: number,
  end: number,
  rest: BinanceRest,
  client: ChartClient,
  tally: Tally,
): AsyncGenerator<Finding> {
  const stepMs = STEP_BARS * interval.intervalMs
  for (let start = from; start < end; start += stepMs) {
    const stop = Math.min(end, start + stepMs)
    // The service first: what it does not serve is its answer, not the exchange's.
    const bars = await barsOf(client, symbol, interval, start, stop)
    const klines = await rest.klines(symbol, interval.name, { startTime: start, endTime: stop - 1, limit: STEP_BARS })
    yield* auditRange(bars, klines, tally)
  }
}

async function barsOf(
  client: ChartClient,
  symbol: string,
  interval: Interval,
  startTime: number,
  endTime: number,
): Promise<readonly BarText[]> {
  const range = { symbol, interval: interval.name, startTime, endTime, pageSize: STEP_BARS }
  return (await client.listBarsPage(range)).bars
}

function linesOf(finding: Finding): string[] {
  const time = new Date(finding.openTime).toISOString().slice(0, 19).replace('T', ' ')
  switch (finding.kind) {
    case 'differs':
      return finding.differences.map(
        ({ field, ours, theirs }) => `${time}  ${field.padEnd(19)}  stored ${ours}  exchange ${theirs}`,
      )
    case 'missing':
      return [`${time}  missing: the exchange has this bar, the service does not`]
    case 'surplus':
      return [`${time}  surplus: the service has this bar, the exchange does not`]
    default:
      throw finding satisfies never
  }
}

function summaryOf(tally: Tally, apiUrl: string): string {
  const { equal, verified, imported, incomplete, differs, missing, surplus } = tally
  const known = `${verified} verified before, ${imported} imported`
  const lacking = incomplete === 0 ? '' : `; ${incomplete} say that they are not complete`
  return `${equal} equal (${known}), ${differs} differ, ${missing} missing, ${surplus} surplus${lacking}; compared with ${apiUrl}`
}
