import { parseArgs } from 'node:util'
import { BinanceRest, RestError } from '@chart/binance'
import { type BarClient, barOfMessage, openBarClient, timestampOfTime } from '@chart/grpc'
import { type BarText, findInterval, type Interval, KNOWN_INTERVALS, openTimeOf } from '@chart/market'
import { auditRange, type Finding, newTally, type Tally } from './audit-range.ts'
import { openLineOutput } from './bar-output.ts'
import { type Command, UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { tellCallFailure } from './edge-errors.ts'
import { exchangeOfLocalRun } from './local-run.ts'

const USAGE = `usage: chart audit SYMBOL --from TIME --to TIME [--interval 1m] [--json] [--address HOST:PORT] [--exchange URL]

Compares the stored bars that open in the range (--from inclusive, --to exclusive) with the exchange's own, and says for
each bar that differs in which field, with both values; also which bars are missing, and which the exchange does not have.
Times are ISO 8601, UTC unless they say otherwise: 2026-04-01, 2026-04-01T12:30, 2026-04-01T12:30:00Z. Bars that have not
ended yet are left out. --json prints one object a line. Exit status: 0 all equal, 1 something differs or an address does
not answer, 2 asked wrongly.

The exchange is --exchange or BINANCE_API_URL; without them that of the service that npm start runs here, if it is at the
address, which may be the simulator; else https://api.binance.com.
`

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
        address: { type: 'string', default: readDefaults().address },
        exchange: { type: 'string' },
      },
    })
    const [symbol, ...more] = positionals
    if (symbol === undefined || more.length > 0) throw new UsageError('name one symbol, such as BTCUSDT')
    const interval = findInterval(values.interval)
    if (interval === undefined) {
      throw new UsageError(`--interval is one of ${KNOWN_INTERVALS.map(({ name }) => name).join(', ')}`)
    }
    const from = Math.ceil(timeOf('--from', values.from) / interval.intervalMs) * interval.intervalMs
    const to = timeOf('--to', values.to)
    if (to <= from) throw new UsageError('--to must be at least one bar after --from')
    const { exchangeUrl, dataDir } = readDefaults()
    const apiUrl = values.exchange ?? exchangeUrl ?? exchangeOfLocalRun(dataDir, values.address) ?? BINANCE
    if (!URL.canParse(apiUrl)) throw new UsageError('--exchange must be a URL such as https://api.binance.com')
    const output = openLineOutput(io.stdout)
    using client = openBarClient(values.address)
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
      if (!(error instanceof RestError)) return tellCallFailure(error, values.address, io)
      io.stderr.write(`chart audit: the exchange at ${apiUrl}: ${error.message}\n`)
      return 1
    } finally {
      await output.flush()
    }
  },
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

function timeOf(option: string, text: string | undefined): number {
  if (text === undefined) throw new UsageError(`${option} is missing; give a time such as 2026-04-01T12:30`)
  const hasZone = /(Z|[+-]\d{2}:\d{2})$/.test(text.slice('2026-04-01'.length))
  const time = ISO_TIME.test(text) ? Date.parse(hasZone || !text.includes('T') ? text : `${text}Z`) : Number.NaN
  if (Number.isNaN(time) || time < 0) throw new UsageError(`${option} "${text}" is no time such as 2026-04-01T12:30`)
  return time
}

async function* findingsOf(
  symbol: string,
  interval: Interval,
  from: number,
  end: number,
  rest: BinanceRest,
  client: BarClient,
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
  client: BarClient,
  symbol: string,
  interval: Interval,
  from: number,
  to: number,
): Promise<BarText[]> {
  const { bars } = await client.listBars({
    symbol,
    interval: interval.name,
    startTime: timestampOfTime(from),
    endTime: timestampOfTime(to),
    pageSize: STEP_BARS,
    order: 'BAR_ORDER_OLDEST_FIRST',
  })
  return bars.map(barOfMessage)
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
