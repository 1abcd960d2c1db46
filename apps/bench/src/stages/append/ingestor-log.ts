import { openMetrics } from '@chart/ingestor/metrics'
import { PartitionLog } from '@chart/ingestor/partition-log'
import { SymbolFeed } from '@chart/ingestor/symbol-feed'
import { EXCHANGE_SCALES } from '@chart/market'
import { type Claim, logKey, type RedisConnection } from '@chart/redis'
import { NO_TRACES, openLog, Registry } from '@chart/service'
import type { AppendWay } from './append-way.ts'
import { claimed, seedLog } from './seeded-partition.ts'

const TAG = '{p00}'
/** What a socket has brought while one append was under way: more than one entry takes. */
const WAITING_TRADES = 1_000

/** Ours: the ingestor's own loop over one partition, for whose feed trades come faster than it appends. */
export function ingestorLog(redis: RedisConnection, symbol: string): AppendWay {
  const metrics = openMetrics(new Registry())
  const log = openLog('bench', 'warn')
  let claim: Claim
  return {
    share: 1,
    stream: logKey(TAG),
    async prepare() {
      claim = await claimed(redis, TAG, 'ingest')
      await seedLog(redis, claim, [symbol])
    },
    async append(trades) {
      const feed = new SymbolFeed(infoOf(symbol), TAG)
      feed.connect()
      const done = new AbortController()
      let next = 0
      // It asks for the watermark whenever it makes an entry: a moment at which everything has been read that came meanwhile.
      const watermark = () => {
        const { sequence } = feed
        while (next < trades.length && sequence.unstoredCount < WAITING_TRADES) feed.receive(trades[next++]!)
        if (sequence.storedId === trades.length) done.abort()
        return 0
      }
      const options = { claim, feeds: [feed], redis, metrics, tracer: NO_TRACES, log, signal: done.signal }
      await new PartitionLog({ ...options, watermark, onMoved: () => undefined }).run()
    },
  }
}

function infoOf(symbol: string): ConstructorParameters<typeof SymbolFeed>[0] {
  return {
    symbol,
    status: 'TRADING',
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    scales: EXCHANGE_SCALES,
    tickSize: '0.01000000',
    stepSize: '0.00001000',
    simulated: true,
  }
}
