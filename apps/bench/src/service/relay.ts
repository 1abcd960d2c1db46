import type { ServeHttp2 } from '../stages/fan-out/http2-process.ts'
import type { RelayFeed } from './relay-feed-process.ts'
import type { RelayLog } from './relay-log-process.ts'
import type { StandIns } from './stand-in-service.ts'

const KEY = 'relayed'
const TAG = '{p00}'

/** The floor of the whole way: processes that pass on that there were trades, and do nothing else. */
export const RELAY: StandIns = {
  ingestor: {
    file: 'relay-feed-process.ts',
    question: 'open',
    argument: ({ streamUrl, redisPort, symbols }) => ({ streamUrl, redisPort, symbols, key: KEY }) satisfies RelayFeed,
  },
  aggregator: {
    file: 'relay-log-process.ts',
    question: 'open',
    argument: ({ redisPort }) => ({ redisPort, key: KEY, tag: TAG }) satisfies RelayLog,
  },
  edge: {
    file: '../stages/fan-out/http2-process.ts',
    question: 'serve',
    argument: ({ redisUrl }) => ({ redisUrl, tags: [TAG], perTurn: true }) satisfies ServeHttp2,
  },
}
