/** What a symbol takes in the memory of a process of ours: answers with bytes a symbol. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SymbolFeed } from '@chart/ingestor/symbol-feed'
import { EXCHANGE_SCALES } from '@chart/market'
import { Redis } from 'ioredis'
import { answerParent } from '../../harness/bench-process.ts'
import { type GeneratedSymbol, generatedTrades } from '../append/generated-trades.ts'
import { agePartition, manySymbols } from './aged-partition.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Of a symbol in a second. */
const PER_SECOND = 10

export interface Weighed {
  readonly heapBytes: number
  readonly rssBytes: number
}

function weight(): Weighed {
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, rssBytes: rss }
}

function growthOf(before: Weighed, after: Weighed, count: number): Weighed {
  return {
    heapBytes: (after.heapBytes - before.heapBytes) / count,
    rssBytes: (after.rssBytes - before.rssBytes) / count,
  }
}

/** What an aggregator holds of a symbol of a partition that it owns: one of many symbols less one of few. */
async function weighPartition({ url, count }: { url: string; count: number }): Promise<Weighed> {
  const plain = new Redis(url)
  const weighed: Weighed[] = []
  // The first is for code and connections.
  for (const symbols of [1, 1, 1 + count]) {
    await plain.flushall('SYNC')
    await agePartition(url, manySymbols(symbols), () => weighed.push(weight()))
  }
  plain.disconnect()
  return growthOf(weighed[1]!, weighed[2]!, count)
}

/** What an ingestor holds of a symbol that has had so many trades, all of them in the log. */
function weighFeeds({ count, trades }: { count: number; trades: number }): Weighed {
  const [first, ...rest] = manySymbols(1 + count)
  const held = [storedFeed(first!, trades)]
  const before = weight()
  for (const of of rest) held.push(storedFeed(of, trades))
  const after = weight()
  if (held.length !== 1 + count) throw new Error('they must be kept until they are weighed')
  return growthOf(before, after, count)
}

function storedFeed(of: GeneratedSymbol, trades: number): SymbolFeed {
  const info = { status: 'TRADING', baseAsset: '', quoteAsset: '', tickSize: '', stepSize: '', simulated: true }
  const feed = new SymbolFeed({ ...info, symbol: of.symbol, scales: EXCHANGE_SCALES }, '{p00}')
  feed.connect()
  feed.alignTo(0)
  for (const trade of generatedTrades(of, trades, PER_SECOND)) {
    feed.receive(trade)
    if (trade.tradeId % 100 === 0) storeAll(feed)
  }
  return feed
}

function storeAll(feed: SymbolFeed): void {
  for (let block = feed.nextBlock(0); block !== undefined; block = feed.nextBlock(0)) feed.markStored(block)
}

answerParent({ partition: weighPartition, feeds: weighFeeds })
