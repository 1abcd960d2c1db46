import { hostname } from 'node:os'
import { DEFAULT_INTERVALS, type Interval, intervalsOf, isSymbol, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { ConfigError, EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface AuditorConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly streamUrl: string
  readonly apiUrl: string
  readonly symbols: readonly string[]
  /** Intervals that have rows in PostgreSQL, as the aggregator is told them. */
  readonly intervals: readonly Interval[]
  /** Closed bars of each series that an empty database is given; 0: none. */
  readonly importBars: number
  /** REST weight a minute that the audit allows itself. */
  readonly weightMaxPerMinute: number
  /** Name among the replicas. */
  readonly member: string
}

const DEFAULT_SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']

/** One call of the exchange for each series. */
const IMPORT_BARS = 1_000
/** Ten calls; more history is a matter for the exchange's archives. */
const IMPORT_BARS_MAX = 10_000

/** The fifth of the exchange's 6,000 that an ingestor leaves. Enough for 500 symbols: two a minute for each one's 1m bar. */
const AUDIT_WEIGHT = 1_200

export function readConfig(env = new EnvReader(process.env)): AuditorConfig {
  const symbols = env.list('SYMBOLS', DEFAULT_SYMBOLS)
  const odd = symbols.find(symbol => !isSymbol(symbol))
  if (odd !== undefined) throw new ConfigError(`SYMBOLS has "${odd}"; a symbol is upper case such as BTCUSDT`)
  return {
    ...readServiceConfig(env),
    symbols,
    intervals: readIntervals(env),
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    databaseUrl: env.url('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres', ['postgres', 'postgresql']),
    streamUrl: env.url('BINANCE_STREAM_URL', 'wss://stream.binance.com:9443', ['wss', 'ws']),
    apiUrl: env.url('BINANCE_API_URL', 'https://api.binance.com', ['https', 'http']),
    importBars: env.integer('IMPORT_BARS', IMPORT_BARS, { min: 0, max: IMPORT_BARS_MAX }),
    weightMaxPerMinute: env.integer('AUDIT_WEIGHT', AUDIT_WEIGHT, { min: 100, max: 6_000 }),
    member: env.text('MEMBER', `${hostname()}-${process.pid}`),
  }
}

function readIntervals(env: EnvReader): readonly Interval[] {
  const intervals = env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text)))
  const persisted = env.list(
    'PERSISTED_INTERVALS',
    intervals.map(({ name }) => name).filter(name => name !== '1s'),
  )
  const unknown = persisted.find(name => !intervals.some(interval => interval.name === name))
  if (unknown !== undefined) throw new ConfigError(`PERSISTED_INTERVALS has ${unknown}, which is not among INTERVALS`)
  return intervals.filter(({ name }) => persisted.includes(name))
}
