import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Where the service is when the command line does not say. The only place of the CLI that reads the environment. */
export function readDefaults(env: Readonly<Record<string, string | undefined>> = process.env) {
  return {
    /** Address of an edge. */
    address: env.CHART_ADDRESS || '127.0.0.1:50051',
    /** What edges ask for where they ask for a key. */
    apiKey: env.CHART_API_KEY || undefined,
    /** Of the service, where it is said. */
    redisUrl: env.REDIS_URL || undefined,
    /** Of BullMQ, where it has one of its own. */
    queueRedisUrl: env.QUEUE_REDIS_URL || undefined,
    /** The exchange's REST, where it is said. */
    exchangeUrl: env.BINANCE_API_URL || undefined,
    /** What kind of terminal it is. */
    terminal: env.TERM || undefined,
    /** Where `npm start` keeps what runs. */
    dataDir: resolve(ROOT, env.DATA_DIR || '.data'),
  }
}
