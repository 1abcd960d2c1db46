import { BinanceRest, type ExchangeRest, openKlineFeed } from '@chart/binance'
import { type ExchangeSimulator, type OracleBar, startExchangeSimulator } from '@chart/exchange-simulator'
import { type BarText, intervalOf, intervalsOf } from '@chart/market'
import { listBars, migrate, openPostgres, type Postgres } from '@chart/postgres'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'
import { openLog, Registry } from '@chart/service'
import { type AppProcess, PATIENT, runApp, until } from '@chart/testkit'
import { type AuditOptions, audit } from '../src/audit.ts'
import { openMetrics } from '../src/metrics.ts'

/** A simulated exchange with some hours of history, the service as processes, and auditors in this process. */

export const INTERVALS = ['1m', '5m'] as const
export const SYMBOL = 'BTCUSDT'
export const MINUTE_MS = 60_000
/** A whole hour. */
export const START_TIME = Date.UTC(2025, 0, 3, 12)
/** Trading began two hours before the service. */
export const GENESIS_TIME = START_TIME - 2 * 3_600_000
/** Three processes have to come up, and minutes to pass, on a machine that is shared: this only ends a test that is lost anyway. */
const WAIT_MS = 200_000
/** Of one test. */
export const TEST_TIMEOUT_MS = 2 * WAIT_MS

/** A minute of the exchange passes in three seconds. */
const SPEED = 20

export interface Servers extends AsyncDisposable {
  readonly redis: RedisServer
  readonly postgres: PostgresServer
}

export async function startServers(): Promise<Servers> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ fsync: false })])
  const admin = await openPostgres({ url: postgres.url, applicationName: 'test' })
  await migrate(admin)
  await admin[Symbol.asyncDispose]()
  return {
    redis,
    postgres,
    async [Symbol.asyncDispose]() {
      await Promise.all([redis.close(), postgres.close()])
    },
  }
}

export interface Auditor {
  readonly metrics: ReturnType<typeof openMetrics>
  stop(): Promise<void>
}

export interface Rig extends AsyncDisposable {
  readonly simulator: ExchangeSimulator
  readonly redis: RedisConnection
  readonly postgres: Postgres
  readonly rest: ExchangeRest
  /** What every app is given. */
  readonly env: Readonly<Record<string, string>>
  /** An ingestor, an aggregator and a persister; gives the last. */
  startService(): AppProcess
  startAuditor(options?: Partial<AuditOptions>): Auditor
  rows(interval?: string): Promise<BarText[]>
  row(openTime: number, interval?: string): Promise<BarText | undefined>
  oracle(interval?: string): Promise<OracleBar[]>
  /** Changes rows behind everyone's back, and takes their proof away. */
  damage(openTime: number, changes: string, interval?: string): Promise<void>
  /** Waits until this many bars made of trades are stored, and gives them. */
  untilStored(count: number, interval?: string): Promise<BarText[]>
  untilVerified(openTime: number, interval?: string): Promise<BarText>
}

export async function openRig(servers: Servers, startTime = START_TIME + 5_000): Promise<Rig> {
  const redis = await openRedis(servers.redis.url, 'test', PATIENT)
  await redis.flushall()
  const postgres = await openPostgres({ url: servers.postgres.url, applicationName: 'test' })
  await postgres.query({ text: 'TRUNCATE bars' })
  const simulator = await startExchangeSimulator({
    market: { symbols: [SYMBOL], tradesPerSecond: 2, genesisTime: GENESIS_TIME },
    clock: { startTime, speed: SPEED },
    limits: { weightMax: 1_000_000, connectionsMax: 10_000 },
  })
  const stop = new AbortController()
  const running: Promise<void>[] = []
  const rest = new BinanceRest({ apiUrl: simulator.url, weightMaxPerMinute: 1_000_000, signal: stop.signal })
  const env = {
    SYMBOLS: SYMBOL,
    PARTITIONS: '4',
    INTERVALS: INTERVALS.join(),
    REDIS_URL: servers.redis.url,
    DATABASE_URL: servers.postgres.url,
    BINANCE_API_URL: simulator.url,
    BINANCE_STREAM_URL: simulator.streamUrl,
  }
  const rig: Rig = {
    simulator,
    redis,
    postgres,
    rest,
    env,
    startService() {
      // Without the database a log begins at the present minute, and what was before is left to the audit.
      runApp('ingestor', { ...env, DATABASE_URL: '' })
      runApp('aggregator', env)
      return runApp('persister', env)
    },
    startAuditor(more = {}) {
      const own = new AbortController()
      const signal = AbortSignal.any([stop.signal, own.signal])
      const metrics = openMetrics(new Registry())
      const ended = audit({
        symbols: [SYMBOL],
        intervals: intervalsOf(INTERVALS),
        importBars: 0,
        redis,
        postgres,
        rest,
        openKlines: symbols => openKlineFeed({ streamUrl: simulator.streamUrl, symbols, signal }),
        metrics,
        log: openLog('auditor', process.env.TEST_LOG_LEVEL ?? 'silent'),
        signal,
        passMs: 100,
        settleMs: 400,
        ...more,
      })
      running.push(ended)
      return {
        metrics,
        async stop() {
          own.abort()
          await ended
        },
      }
    },
    rows: (interval = '1m') => listBars(postgres, { symbol: SYMBOL, interval, order: 'oldest', limit: 1_000 }),
    async row(openTime, interval = '1m') {
      return (await rig.rows(interval)).find(row => row.openTime === openTime)
    },
    oracle: (interval = '1m') =>
      simulator.oracleBars({ symbol: SYMBOL, interval: interval as '1m', from: GENESIS_TIME, to: simulator.now() }),
    async damage(openTime, changes, interval = '1m') {
      const { rowCount } = await postgres.query({
        text: `UPDATE bars SET ${changes}, state = 'closed' WHERE symbol = $1 AND interval = $2 AND open_time = $3`,
        values: [SYMBOL, interval, new Date(openTime).toISOString()],
      })
      if (rowCount !== 1) throw new Error(`no ${interval} bar at ${new Date(openTime).toISOString()}`)
    },
    async untilStored(count, interval = '1m') {
      let made: BarText[] = []
      await until(
        `${count} ${interval} bars are stored`,
        async () => {
          made = (await rig.rows(interval)).filter(({ proof }) => proof !== 'imported')
          return made.length >= count
        },
        WAIT_MS,
      )
      return made
    },
    async untilVerified(openTime, interval = '1m') {
      let row: BarText | undefined
      await until(
        `the ${interval} bar at ${new Date(openTime).toISOString()} is verified`,
        async () => {
          row = await rig.row(openTime, interval)
          return row?.proof === 'verified'
        },
        WAIT_MS,
      )
      return row!
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled(running)
      await simulator.close()
      closeRedis(redis)
      await postgres[Symbol.asyncDispose]()
    },
  }
  return rig
}

const FIELDS = [
  'openTime',
  'closeTime',
  'open',
  'high',
  'low',
  'close',
  'baseVolume',
  'quoteVolume',
  'takerBuyBaseVolume',
  'takerBuyQuoteVolume',
  'tradeCount',
] as const

/** The numbers of a bar that the exchange's own has too. */
export const numbersOf = (bar: BarText | OracleBar) => Object.fromEntries(FIELDS.map(name => [name, bar[name]]))
export const idsOf = (bar: BarText | OracleBar) => [bar.firstTradeId, bar.lastTradeId]

/** The oracle's bars of these rows' times. */
export async function oracleOf(rig: Rig, rows: readonly BarText[], interval = '1m'): Promise<OracleBar[]> {
  const wanted = new Set(rows.map(({ openTime }) => openTime))
  return (await rig.oracle(interval)).filter(({ openTime }) => wanted.has(openTime))
}

/** Open times of one interval from the exchange's beginning on, without a hole. */
export function openTimes(count: number, interval = '1m'): number[] {
  return Array.from({ length: count }, (_, index) => GENESIS_TIME + index * intervalOf(interval).intervalMs)
}

export async function metricOf(
  counter: { get(): Promise<{ values: { value: number; labels: object }[] }> },
  labels: Record<string, string> = {},
): Promise<number> {
  const { values } = await counter.get()
  const matching = values.filter(value =>
    Object.entries(labels).every(([name, label]) => (value.labels as never)[name] === label),
  )
  return matching.reduce((sum, { value }) => sum + value, 0)
}
