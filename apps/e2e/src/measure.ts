/**
 * `npm run measure -- --minutes 5 --rate 1000`: runs the whole service on the simulated exchange, watches it as a client that
 * wants every trade, and tells the time from trade to client and how many bars differ from the oracle.
 */
import { parseArgs } from 'node:util'
import { openBarClient, timeOfTimestamp } from '@chart/grpc'
import { openPostgres } from '@chart/postgres'
import { compareWithOracle } from './compare.ts'
import { LocalService } from './local-service.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d']
const MINUTE_MS = 60_000
/** Longest that the last bars may take from their end to their rows. */
const STORED_WITHIN_MS = 60_000

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, rate: { type: 'string', default: '1000' } },
})
const runMs = Number(values.minutes) * MINUTE_MS

await using service = await LocalService.start({
  SYMBOLS: SYMBOLS.join(),
  TRADES_PER_SECOND: values.rate,
})
const { grpc, databaseUrl, binanceApiUrl } = service.run
await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'measure' })
using client = openBarClient(grpc)
await service.until('the feeds are live', async () =>
  (await client.listSymbols()).symbols.every(info => info.feed.state === 'FEED_STATE_LIVE'),
)

const latenciesMs: number[] = []
let messages = 0
let skipped = 0
const lastIds = new Map<string, number>()
const startTime = Date.now()
const stop = new AbortController()
setTimeout(() => stop.abort(), runMs)
for await (const { events } of client.streamBars({ symbols: SYMBOLS, intervals: ['1m'] }, stop.signal)) {
  const now = Date.now()
  messages++
  for (const { type, bar, tradeTime } of events) {
    const time = timeOfTimestamp(tradeTime)
    if (type !== 'BAR_EVENT_TYPE_UPDATE' || bar === null || time === undefined) continue
    latenciesMs.push(now - time)
    const last = lastIds.get(bar.symbol)
    if (last !== undefined) skipped += bar.lastTradeId - last - 1
    lastIds.set(bar.symbol, bar.lastTradeId)
  }
}
const seconds = (Date.now() - startTime) / 1_000
const untilTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
await service.until(
  'the last bars are stored',
  async () => (await compareWithOracle(postgres, binanceApiUrl, SYMBOLS, ['1m'], untilTime)).missing.length === 0,
  STORED_WITHIN_MS,
)
const comparison = await compareWithOracle(postgres, binanceApiUrl, SYMBOLS, INTERVALS, untilTime)

latenciesMs.sort((a, b) => a - b)
const percentile = (share: number) =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))]
console.log(
  JSON.stringify(
    {
      seconds,
      updates: latenciesMs.length,
      updatesPerSecond: Math.round(latenciesMs.length / seconds),
      messages,
      tradesWithoutUpdate: skipped,
      tradeToClientMs: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: latenciesMs.at(-1) },
      bars: {
        compared: comparison.compared,
        differing: comparison.differing.length,
        missing: comparison.missing.length,
        surplus: comparison.surplus.length,
        incomplete: comparison.incomplete.length,
      },
      details: [...comparison.differing, ...comparison.missing, ...comparison.surplus].slice(0, 20),
    },
    undefined,
    2,
  ),
)
