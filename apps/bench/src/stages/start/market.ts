import { closeRedis, openRedis, type RedisConnection, tagOf } from '@chart/redis'
import { untilTrue } from '../../harness/until-true.ts'
import { type AppProcess, startApp } from './app-process.ts'

/** A small market: what is measured are waits, not work. */
const SYMBOLS = Array.from({ length: 8 }, (_, index) => `SYM${index}USDT`)
const TRADES_PER_SECOND = 400
const PARTITIONS = 8
/** Five seconds into a minute, from the first client on: so every start finds as many trades to fetch. */
const START_TIME = Date.UTC(2025, 0, 3, 0, 0, 5)
/** A machine where it takes longer is too busy to measure anything. */
const START_MAX_MS = 60_000

/** A simulated exchange that trades, and a Redis without anything in it. */
export interface Market extends AsyncDisposable {
  readonly redis: RedisConnection
  /** Partitions that have symbols. */
  readonly tags: readonly string[]
  startIngestor(member: string): AppProcess
  startAggregator(member: string): AppProcess
}

export async function openMarket(redisUrl: string): Promise<Market> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.adopt(await openRedis(redisUrl, 'bench'), closeRedis)
  await redis.flushall()
  const exchange = stack.use(
    startApp('exchange-simulator', {
      ...{ SYMBOLS: SYMBOLS.join(), TRADES_PER_SECOND: String(TRADES_PER_SECOND), BURSTINESS: '0' },
      ...{ START_TIME: String(START_TIME), HOLD: 'true', PORT: '0' },
    }),
  )
  await untilTrue(() => exchange.said(LISTENING) !== undefined, 'the exchange listens', START_MAX_MS)
  const apiUrl = exchange.said(LISTENING)!
  const owned = stack.move()
  return {
    redis,
    tags: [...new Set(SYMBOLS.map(symbol => tagOf(symbol, PARTITIONS)))],
    startIngestor: member =>
      startApp('ingestor', {
        ...{ MEMBER: member, REDIS_URL: redisUrl, SYMBOLS: SYMBOLS.join(), PARTITIONS: String(PARTITIONS) },
        ...{ FEED_SHARDS: '1', BINANCE_API_URL: apiUrl, BINANCE_STREAM_URL: apiUrl.replace('http', 'ws') },
      }),
    startAggregator: member => startApp('aggregator', { MEMBER: member, REDIS_URL: redisUrl }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const LISTENING = /"listening":"([^"]+)"/
