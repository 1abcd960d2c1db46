import { HELD_TRADES_MAX } from '@chart/ingestor/symbol-feed'
import { DEFAULT_INTERVALS } from '@chart/market'
import {
  barKey,
  feedKey,
  headsKey,
  infoKey,
  KEPT_ENTRIES,
  logKey,
  openRedis,
  positionKey,
  SYMBOLS_KEY,
  stateKey,
} from '@chart/redis'
import { type RedisServer, startRedis } from '@chart/servers'
import { Redis } from 'ioredis'
import { startProcess } from '../../harness/bench-process.ts'
import type { OpenStage, Sample, Stage } from '../../harness/stage.ts'
import { TAG } from '../commit/filled-log.ts'
import { fillWideLog } from '../commit/wide-log.ts'
import { agePartition, manySymbols } from './aged-partition.ts'
import type { Weighed } from './heap-process.ts'
import { bytesOf, packedLogBytes, singleLogBytes } from './log-bytes.ts'

/** Trades of each log that is weighed. */
const TRADES = 10_000
/** Symbols of a partition whose keys are weighed: 2,000 over 32. */
const PARTITION_SYMBOLS = 63
/** Of one whose aggregator is weighed. */
const HELD_SYMBOLS = 200
/** Feeds at once; each remembers HELD_TRADES_MAX trades and is let grow a quarter beyond. */
const HELD_FEEDS = 8
const FULL_FEED_TRADES = HELD_TRADES_MAX * 1.2
/** Of a symbol that makes 10 trades a second: its last minute. */
const MINUTE_TRADES = 600

type Run = (server: RedisServer, plain: Redis, size: number) => Promise<Sample>

const RUNS: Readonly<Record<string, Run>> = {
  'the log, entries of 1 trade': logOf(1),
  'the log, entries of 10': logOf(10),
  'the log, entries of 100': logOf(100),
  'the log, entries of 500': logOf(500),
  'an XADD a trade': async (_, plain, size) => {
    const count = Math.round(TRADES * size)
    return { perThousandTrades: ((await singleLogBytes(plain, count)) / count) * 1_000 }
  },
  'what a log keeps of entries of 1 symbol': keptOf(1),
  'what a log keeps of entries of 5 symbols': keptOf(5),
  'Redis: live bars': keysOf(symbol => DEFAULT_INTERVALS.map(interval => barKey(TAG, symbol, interval))),
  'Redis: state': keysOf(symbol => [stateKey(TAG, symbol)]),
  'Redis: feed and info': keysOf(symbol => [feedKey(TAG, symbol), infoKey(TAG, symbol)]),
  'Redis: shares of heads, position and symbols': keysOf(() => [], [headsKey(TAG), positionKey(TAG), SYMBOLS_KEY]),
  'an aggregator: all that it holds': ({ url }, _, size) =>
    heapOf('partition', { url, count: Math.round(HELD_SYMBOLS * size) }),
  'an ingestor: the last minute of 10 trades/s': () =>
    heapOf('feeds', { count: HELD_FEEDS * 10, trades: MINUTE_TRADES }),
  'an ingestor: as much as it remembers': () => heapOf('feeds', { count: HELD_FEEDS, trades: FULL_FEED_TRADES }),
}

export const memoryStage: Stage = {
  name: 'memory',
  job: 'what trades and symbols take',
  figures: [
    { name: 'perThousandTrades', unit: 'bytes a thousand trades', better: 'less' },
    { name: 'perPartition', unit: 'bytes a partition', better: 'less' },
    { name: 'perSymbol', unit: 'bytes a symbol', better: 'less' },
    { name: 'rss', unit: 'bytes of RSS a symbol', better: 'less' },
  ],
  variants: Object.keys(RUNS).map(name => ({ name, role: name === 'an XADD a trade' ? 'instead' : 'ours' })),
  comparisons: [
    // At most 15 bytes a trade where an XADD a trade takes 64.
    { variant: 'the log, entries of 100', against: 'an XADD a trade', figure: 'perThousandTrades', atLeast: 4.3 },
    { variant: 'the log, entries of 1 trade', against: 'an XADD a trade', figure: 'perThousandTrades' },
  ],
  open,
}

async function open(size: number): Promise<OpenStage> {
  const server = await startRedis()
  const plain = new Redis(server.url)
  return {
    async run(name) {
      await plain.flushall('SYNC')
      return RUNS[name]!(server, plain, size)
    },
    async [Symbol.asyncDispose]() {
      plain.disconnect()
      await server.close()
    },
  }
}

function logOf(entryTrades: number): Run {
  return async ({ url }, plain, size) => {
    const count = Math.round(TRADES * size)
    return { perThousandTrades: ((await packedLogBytes(url, plain, count, entryTrades)) / count) * 1_000 }
  }
}

/** Of the entries that stay behind the position, each with 2 trades of so many symbols. */
function keptOf(symbols: number): Run {
  return async ({ url }, plain) => {
    const redis = await openRedis(url, 'bench')
    try {
      await fillWideLog(redis, KEPT_ENTRIES, { symbols, trades: 2 })
    } finally {
      redis.disconnect()
    }
    return { perPartition: await bytesOf(plain, logKey(TAG)) }
  }
}

/** Of a symbol: the keys that are its own, and its share of those that are not. */
function keysOf(own: (symbol: string) => string[], shared: readonly string[] = []): Run {
  return async ({ url }, plain) => {
    const symbols = manySymbols(PARTITION_SYMBOLS)
    await agePartition(url, symbols)
    let bytes = 0
    for (const key of [...symbols.flatMap(({ symbol }) => own(symbol)), ...shared]) bytes += await bytesOf(plain, key)
    return { perSymbol: bytes / symbols.length }
  }
}

/** The heap of a process of ours; RSS where nothing else has made it grow. */
async function heapOf(name: 'partition' | 'feeds', argument: unknown): Promise<Sample> {
  await using held = startProcess(new URL('heap-process.ts', import.meta.url))
  const { heapBytes, rssBytes } = await held.ask<Weighed>(name, argument)
  return { perSymbol: heapBytes, ...(name === 'feeds' && { rss: rssBytes }) }
}
