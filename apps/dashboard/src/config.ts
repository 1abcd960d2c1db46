import { DEFAULT_INTERVALS, type Interval, intervalsOf, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface DashboardConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly httpHost: string
  /** 0 takes a free one. */
  readonly httpPort: number
  readonly intervals: readonly Interval[]
  /** Where older bars are asked for. */
  readonly edge: EdgeConfig
  /** Pages that follow bars at a time; the next one is told to come back later. */
  readonly pagesMax: number
}

export interface EdgeConfig {
  /** `host:port`, several as `a:50051,b:50051`, or all behind a name as `dns:///edge:50051`. */
  readonly address: string
  readonly apiKey: string | undefined
  /** Send the key to other machines in plain text: within a network that nobody else reads. */
  readonly allowKeyInPlainText: boolean
  readonly tls: boolean
  /** PEM of the authority that edges' certificates come from; undefined: the system's. */
  readonly tlsCaFile: string | undefined
}

export function readConfig(env = new EnvReader(process.env)): DashboardConfig {
  return {
    ...readServiceConfig(env),
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    httpHost: env.text('HTTP_HOST', '0.0.0.0'),
    httpPort: env.integer('HTTP_PORT', 8080, { min: 0, max: 65_535 }),
    intervals: env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text))),
    edge: {
      address: env.text('CHART_ADDRESS', '127.0.0.1:50051'),
      apiKey: env.text('CHART_API_KEY', '') || undefined,
      allowKeyInPlainText: env.choice('CHART_KEY_IN_PLAIN_TEXT', 'refuse', ['refuse', 'allow']) === 'allow',
      tls: env.choice('CHART_TLS', 'off', ['off', 'on']) === 'on',
      tlsCaFile: env.text('CHART_TLS_CA_FILE', '') || undefined,
    },
    pagesMax: env.integer('PAGES_MAX', 1_000, { min: 1, max: 100_000 }),
  }
}
