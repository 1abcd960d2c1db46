import { hostname } from 'node:os'
import { isSymbol } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { ConfigError, EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface IngestorConfig extends ServiceConfig {
  readonly redisUrl: string
  /** Where to go on from when Redis was emptied; without it logs begin at the present minute. */
  readonly databaseUrl: string | undefined
  readonly symbols: readonly string[]
  readonly partitions: number
  /** The partitions are dealt out to this many feed shards, each with a leader of its own. */
  readonly feedShards: number
  readonly streamUrl: string
  readonly apiUrl: string
  /** Name among the replicas. */
  readonly member: string
}

const DEFAULT_SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']

export function readConfig(env = new EnvReader(process.env)): IngestorConfig {
  const symbols = env.list('SYMBOLS', DEFAULT_SYMBOLS)
  const odd = symbols.find(symbol => !isSymbol(symbol))
  if (odd !== undefined) throw new ConfigError(`SYMBOLS has "${odd}"; a symbol is upper case such as BTCUSDT`)
  return {
    ...readServiceConfig(env),
    symbols,
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    databaseUrl: env.optionalUrl('DATABASE_URL', ['postgres', 'postgresql']),
    partitions: env.integer('PARTITIONS', 32, { min: 1, max: 100 }),
    feedShards: env.integer('FEED_SHARDS', 2, { min: 1, max: 100 }),
    streamUrl: env.url('BINANCE_STREAM_URL', 'wss://stream.binance.com:9443', ['wss', 'ws']),
    apiUrl: env.url('BINANCE_API_URL', 'https://api.binance.com', ['https', 'http']),
    member: env.text('MEMBER', `${hostname()}-${process.pid}`),
  }
}
