import { intervalsOf } from '@chart/market'
import { openPostgres, type Postgres } from '@chart/postgres'
import { closeRedis, openRedis, type RedisConnection, tagOf } from '@chart/redis'
import { PATIENT, until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CutReader, checkSeriesOverCuts } from './cut-reader.ts'
import { FaultyEdges } from './faulty-edges.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { RandomMarket, seededRandom } from './random-market.ts'
import { MINUTE_START, PARTITIONS } from './test-aggregator.ts'

/**
 * Clients of the library whose connections break at any point and lead them from edge to edge: each must see what one would that was
 * never cut. TEST_SEED draws others, RANDOM_CUT_RUNS makes more of them.
 */
const SEED = Number(process.env.TEST_SEED ?? 7)
const RUNS = Number(process.env.RANDOM_CUT_RUNS ?? 3)
const COMMITS = 100
const INTERVALS = intervalsOf(['1s', '1m', '5m'])
const NAMES = INTERVALS.map(({ name }) => name)
/** Generous: other work shares the machine. */
const END_MS = 15_000
const LONGEST_MS = INTERVALS.at(-1)!.intervalMs
const MODES = ['every-trade', 'latest', 'closed'] as const

let servers: Servers
let redis: RedisConnection
let postgres: Postgres
let edges: FaultyEdges

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
  postgres = await openPostgres({ url: servers.postgres.url, applicationName: 'test' })
  edges = await FaultyEdges.start({
    redisUrl: servers.redis.url,
    databaseUrl: servers.postgres.url,
    intervals: INTERVALS,
  })
})
afterAll(async () => {
  await edges[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

/** Two markets in partitions of their own. */
async function openMarkets(run: number, random: () => number): Promise<RandomMarket[]> {
  const markets: RandomMarket[] = []
  for (let n = 0; markets.length < 2; n++) {
    const symbol = `R${run}N${n}USDT`
    if (markets.some(({ aggregator }) => aggregator.tag === tagOf(symbol, PARTITIONS))) continue
    markets.push(await RandomMarket.open(symbol, { redis, postgres, intervals: INTERVALS, random }))
  }
  return markets
}

function openReaders(symbols: readonly string[], random: () => number): CutReader[] {
  const starts = [undefined, MINUTE_START, MINUTE_START + Math.floor(random() * LONGEST_MS)]
  return MODES.flatMap(mode =>
    starts.map(since => {
      const hesitates = random() < 0.3
      return new CutReader({ address: edges.address, symbols, intervals: NAMES, mode, since, hesitates })
    }),
  )
}

/** What the reader has not heard of: the last bar that closed, the live one, and corrections of bars that are stored. */
function lackingOf(reader: CutReader, { aggregator, symbol }: RandomMarket): string[] {
  return NAMES.flatMap(interval => {
    const key = `${symbol} ${interval}`
    const newest = reader.newestClosed(key)
    const bars = new Map(aggregator.closed.get(key)!.map(bar => [bar.openTime, bar]))
    const lacking = [...bars.values()].filter(({ openTime, revision }) => {
      const told = newest.get(openTime)
      // A correction of a second that was missed is told only while some edge remembers it.
      return told !== undefined && told.revision !== revision && interval !== '1s'
    })
    const last = Math.max(...bars.keys())
    if (!newest.has(last)) lacking.push(bars.get(last)!)
    const live = aggregator.live(symbol, interval)
    if (reader.mode !== 'closed' && reader.live(key)?.lastTradeId !== live.lastTradeId) lacking.push(live)
    return lacking.map(
      bar => `${key} ${new Date(bar.openTime).toISOString()} ${bar.state} r${bar.revision} ${bar.lastTradeId}`,
    )
  })
}

test.each(Array.from({ length: RUNS }, (_, run) => SEED + run))(
  'seed %i: whatever is cut, each client sees every closed bar once and in order, its corrections, and no live bar that goes back',
  async seed => {
    const random = seededRandom(seed)
    const markets = await openMarkets(seed, random)
    const symbols = markets.map(({ symbol }) => symbol)
    // So that every series has a bar when the first call comes.
    for (const market of markets) await market.run(2)
    await edges.findSymbols()
    await using stack = new AsyncDisposableStack()
    const readers = openReaders(symbols, random).map(reader => stack.use(reader))
    const stop = new AbortController()
    const faults = edges.run(seededRandom(seed + 1_000_000), stop.signal)
    await Promise.all(markets.map(market => market.run(COMMITS)))
    stop.abort()
    await faults
    for (const market of markets) await market.closeAll(LONGEST_MS)
    for (const reader of readers) {
      for (const market of markets) {
        let lacking: string[] = []
        await until(
          `seed ${seed}: the last bars are told`,
          async () => {
            await reader.check()
            lacking = lackingOf(reader, market)
            return lacking.length === 0
          },
          END_MS,
        ).catch(error => {
          throw new Error(`a client of ${reader.mode} since ${reader.since} lacks ${lacking.join('; ')}`, {
            cause: error,
          })
        })
      }
    }
    let told = 0
    for (const reader of readers) {
      for (const { symbol, aggregator } of markets) {
        for (const interval of NAMES) {
          const key = `${symbol} ${interval}`
          const events = reader.of(key)
          told += events.length
          checkSeriesOverCuts(events, aggregator.closed.get(key)!, reader.since)
        }
      }
    }
    const reconnects = readers.map(reader => reader.reconnects)
    console.log(`seed ${seed}: ${told} events, reconnects ${reconnects.join(' ')}, faults`, edges.counts)
    expect(Math.min(...reconnects), 'every client was cut').toBeGreaterThan(0)
  },
)
