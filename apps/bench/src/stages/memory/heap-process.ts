/** What a symbol takes in the memory of a process of ours: answers with bytes a symbol. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SymbolFeed } from '@chart/ingestor/symbol-feed'
import { applyTrade, EXCHANGE_SCALES, newChanges, newSymbolBars, type SymbolBars } from '@chart/market'
import { answerParent } from '../../harness/bench-process.ts'
import { type GeneratedSymbol, generatedTrades, START_TIME } from '../append/generated-trades.ts'
import { INTERVALS } from '../commit/aggregator-loop.ts'
import { AGED_SYMBOLS, agedTrades } from './aged-partition.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Of a symbol in a second. */
const PER_SECOND = 10

interface Weighed {
  readonly heapBytes: number
  readonly rssBytes: number
}

/** What each of `count` things takes that `make` makes. */
function weigh(count: number, make: (index: number) => unknown): Weighed {
  // Code and shapes come with the first.
  make(0)
  collect()
  const before = process.memoryUsage()
  const kept = Array.from({ length: count }, (_, index) => make(index))
  collect()
  const after = process.memoryUsage()
  if (kept.length !== count) throw new Error('they must be kept until they are weighed')
  return { heapBytes: (after.heapUsed - before.heapUsed) / count, rssBytes: (after.rss - before.rss) / count }
}

function agedBars(of: GeneratedSymbol): SymbolBars {
  const bars = newSymbolBars(of.symbol, INTERVALS, EXCHANGE_SCALES, 0, START_TIME)
  for (const trade of agedTrades(of)) applyTrade(bars, trade, newChanges(), false)
  return bars
}

/** A feed that has stored as many trades as it remembers at most. */
function storedFeed(of: GeneratedSymbol, trades: number): SymbolFeed {
  const info = { status: 'TRADING', baseAsset: '', quoteAsset: '', tickSize: '', stepSize: '', simulated: true }
  const feed = new SymbolFeed({ ...info, symbol: of.symbol, scales: EXCHANGE_SCALES }, '{p00}')
  feed.connect()
  feed.alignTo(0)
  for (const trade of generatedTrades(of, trades, PER_SECOND)) {
    feed.receive(trade)
    if (trade.tradeId % 100 !== 0) continue
    for (let block = feed.nextBlock(0); block !== undefined; block = feed.nextBlock(0)) feed.markStored(block)
  }
  return feed
}

const symbolAt = (index: number) => AGED_SYMBOLS[index % AGED_SYMBOLS.length]!

answerParent({
  bars: (count: number) => weigh(count, index => agedBars(symbolAt(index))),
  feeds: ({ count, trades }: { count: number; trades: number }) =>
    weigh(count, index => storedFeed(symbolAt(index), trades)),
})
