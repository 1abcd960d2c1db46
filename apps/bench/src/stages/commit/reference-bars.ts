import {
  applyTrade,
  applyWatermark,
  type BarText,
  EXCHANGE_SCALES,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type Trade,
  textOfBar,
} from '@chart/market'
import { barOfPendingValue, pendingKey, type RedisConnection, readLiveBars } from '@chart/redis'
import { START_TIME } from '../append/generated-trades.ts'
import { INTERVALS, PERSISTED_INTERVALS } from './aggregator-loop.ts'
import { TAG, watermarkAfter } from './filled-log.ts'

/** Throws unless Redis has the live bars and the closed ones that `trades` make, folded one by one. */
export async function checkBars(redis: RedisConnection, symbol: string, trades: readonly Trade[]): Promise<void> {
  const bars = newSymbolBars(symbol, INTERVALS, EXCHANGE_SCALES, 0, START_TIME)
  const changes = newChanges()
  for (const trade of trades) applyTrade(bars, trade, changes)
  applyWatermark(bars, watermarkAfter(trades[trades.length - 1]!), changes)
  const live = liveBarsOf(bars).map(bar => textOfBar(bar!, bars.scales))
  const stored = await readLiveBars(
    redis,
    TAG,
    symbol,
    INTERVALS.map(({ name }) => name),
  )
  expectSame(
    'live',
    stored.map(one => one!.bar),
    live,
  )
  const closed = changes.closed
    .map(bar => textOfBar(bar, bars.scales))
    .filter(bar => PERSISTED_INTERVALS.has(bar.interval))
  const pending = Object.values(await redis.hgetall(pendingKey(TAG))).map(barOfPendingValue)
  expectSame('closed', pending, closed)
}

function expectSame(what: string, own: readonly BarText[], reference: readonly BarText[]): void {
  const linesOf = (bars: readonly BarText[]) =>
    bars.map(bar => JSON.stringify(Object.entries(bar).sort(([one], [other]) => (one < other ? -1 : 1)))).sort()
  const lines = linesOf(reference)
  const wrong = linesOf(own).find((line, index) => line !== lines[index])
  if (wrong !== undefined || own.length !== reference.length) {
    throw new Error(
      `${own.length} ${what} bars instead of ${reference.length}; the first wrong one: ${wrong ?? 'none'}`,
    )
  }
}
