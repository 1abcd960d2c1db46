import { type BarText, type Interval, intervalOf, keptMaxOf, partitionOf } from '@chart/market'
import { barKey, partitionTag, pendingKey } from '@chart/redis'
import type { Client, ToldSeries } from './client.ts'
import { faultOf, ORACLE_FIELDS, type Oracle } from './oracle.ts'
import { INTERVALS, PARTITIONS, type World } from './world.ts'

/** Bars of a second and of a minute are closed when the watermark has passed the last trade by so much. */
const REACHED_MARGIN_MS = 1_000

/**
 * What is still wrong or missing, in words; undefined when everything is as it ought to be: every bar that closed stored and right,
 * live bars right, the outbox empty, every client told.
 */
export function whatIsWrong(world: World, clients: readonly Client[]): string | undefined {
  for (const { symbol } of world.markets) {
    const oracle = world.witness.oracles.get(symbol)
    if (oracle === undefined) return `the log of ${symbol} has not begun`
    const tag = partitionTag(partitionOf(symbol, PARTITIONS))
    if (oracle.first === undefined) {
      // Faults kept its log from beginning until nothing traded any more: without a price there are no bars.
      if (world.redis.store.hash(barKey(tag, symbol, '1s')) !== undefined) return `${symbol} has bars and no trades`
      continue
    }
    const reached = Number(world.redis.store.hget(barKey(tag, symbol, '1s'), 'throughTime') ?? 0)
    if (reached < world.tradingEndTime + REACHED_MARGIN_MS) return `bars of ${symbol} have reached ${reached} only`
    for (const interval of INTERVALS) {
      const wrong = wrongOf(world, oracle, interval, tag, reached)
      if (wrong !== undefined) return wrong
    }
  }
  const pending = pendingOf(world)
  if (pending !== undefined) return `the outbox still has ${pending}`
  return surplusOf(world) ?? clientFaultOf(world, clients)
}

function wrongOf(world: World, oracle: Oracle, interval: Interval, tag: string, reached: number): string | undefined {
  const { symbol } = oracle.market
  const closedUntil = Math.floor(reached / interval.intervalMs) * interval.intervalMs
  for (const openTime of oracle.openTimes(interval, closedUntil)) {
    const place = `${symbol} ${interval.name} ${new Date(openTime).toISOString()}`
    const row = world.postgres.barOf(symbol, interval.name, openTime)
    if (row === undefined) return `${place} is not stored`
    const difference = finalFaultOf(world, oracle, row)
    if (difference !== undefined) return `${place} is stored with revision ${row.revision}: ${difference}`
    const mustBeComplete = !oracle.hasHoles && openTime >= oracle.sinceTime
    if (mustBeComplete && !row.complete) return `${place} is stored as not complete`
  }
  return liveFaultOf(world, oracle, interval, tag, closedUntil)
}

function liveFaultOf(world: World, oracle: Oracle, interval: Interval, tag: string, openTime: number) {
  const { symbol } = oracle.market
  const fields = world.redis.store.hash(barKey(tag, symbol, interval.name))
  const place = `the live bar ${symbol} ${interval.name}`
  if (fields?.get('openTime') !== String(openTime))
    return `${place} opens at ${fields?.get('openTime')}, not ${openTime}`
  const bar = oracle.barAt(interval.name, openTime, Number.POSITIVE_INFINITY)
  // Without trades it repeats a price, which the bars before it have proven.
  if (bar === undefined) return fields.get('tradeCount') === '0' ? undefined : `${place} has trades and should not`
  const wrong = ORACLE_FIELDS.find(name => fields.get(name) !== String(bar[name]))
  return wrong === undefined ? undefined : `${place}: ${wrong} is ${fields.get(wrong)}, not ${bar[wrong]}`
}

function pendingOf({ redis }: World): string | undefined {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const [field] = redis.store.hash(pendingKey(partitionTag(partition)))?.keys() ?? []
    if (field !== undefined) return field
  }
  return undefined
}

/** A stored bar that no trade and no time justifies. */
function surplusOf({ postgres, witness }: World): string | undefined {
  for (const { symbol, interval, open_ms: openTime } of postgres.rows.values()) {
    const oracle = witness.oracles.get(symbol)
    const intervalMs = INTERVALS.find(({ name }) => name === interval)!.intervalMs
    const known = oracle?.barAt(interval, openTime, Number.POSITIVE_INFINITY) !== undefined
    const first = oracle?.first?.tradeTime ?? Number.POSITIVE_INFINITY
    if (!known && openTime + intervalMs <= first) return `${symbol} ${interval} ${openTime} is stored and never was`
  }
  return undefined
}

function clientFaultOf(world: World, clients: readonly Client[]): string | undefined {
  for (const client of clients) {
    if (client.ended || client.isAway) continue
    for (const series of client.series.values()) {
      const fault = seriesFaultOf(world, series, world.network.missedUpdates.has(client.owner))
      if (fault !== undefined) return `${client.name} was told last of ${series.symbol} ${series.interval} ${fault}`
    }
  }
  return undefined
}

/**
 * What a client was told last of every closed bar has to be right, whatever Redis lost in between. Whose edge missed updates may lack
 * corrections of bars that a symbol's state no longer kept when it was read again.
 */
function seriesFaultOf(world: World, series: ToldSeries, missedUpdates: boolean): string | undefined {
  const { symbol, interval, closed, newest = 0 } = series
  const oracle = world.witness.oracles.get(symbol)!
  const kept = keptMaxOf(intervalOf(interval)) * intervalOf(interval).intervalMs
  for (const [openTime, told] of closed) {
    if (missedUpdates && openTime <= newest - kept) continue
    const fault = finalFaultOf(world, oracle, told)
    if (fault !== undefined) return `${new Date(openTime).toISOString()} revision ${told.revision}: ${fault}`
  }
  return undefined
}

/**
 * What is wrong with a closed bar in the end. A flat bar that Redis made, lost and made again may keep the price of the first time:
 * nothing in it tells which of the two is newer (the comparison with the exchange's own bars mends it).
 */
function finalFaultOf({ witness }: World, oracle: Oracle, bar: BarText): string | undefined {
  const fault = faultOf(oracle, bar, Number.POSITIVE_INFINITY)
  if (fault === undefined || bar.tradeCount > 0 || witness.fallBacks === 0) return fault
  const isEmpty = oracle.barAt(bar.interval, bar.openTime, Number.POSITIVE_INFINITY) === undefined
  const prices = oracle.pricesEverBefore(intervalOf(bar.interval), bar.openTime)
  return isEmpty && prices.includes(bar.close) ? undefined : fault
}
