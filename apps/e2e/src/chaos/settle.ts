import { setTimeout as sleep } from 'node:timers/promises'
import { openBarClient } from '@chart/grpc'
import { intervalOf } from '@chart/market'
import { closeRedis, openRedis, pendingKey, type RedisConnection, scanPending } from '@chart/redis'
import type { Fleet } from './fleet.ts'
import type { Observer } from './observer.ts'

/** How often the conditions are looked at. */
const LOOK_MS = 500

/** What keeps the run from its end; empty when everything is as it should be. */
export interface SettleOptions {
  readonly fleet: Fleet
  readonly observers: readonly Observer[]
  readonly tags: readonly string[]
  readonly symbols: readonly string[]
  /** Bars that have ended by then must be stored and told. */
  readonly untilTime: number
  readonly withinMs: number
}

/**
 * Waits, under load and without faults, until every feed is live at every edge, no bar that has ended before `untilTime` is left in an
 * outbox, and every observer was told of all. Gives what is lacking when time runs out.
 */
export async function settle(options: SettleOptions): Promise<string[]> {
  const { fleet, observers, tags, symbols, untilTime, withinMs } = options
  const redis = await openRedis(fleet.redis.url, 'chaos-settle')
  const deadline = performance.now() + withinMs
  try {
    for (;;) {
      const lacking = [
        ...(await notLive(fleet.edges, symbols)),
        ...(await waitingBars(redis, tags, untilTime)),
        ...observers.flatMap((observer, index) =>
          observer.lackingUntil(untilTime).map(what => `observer ${index + 1} lacks ${what}`),
        ),
      ]
      if (lacking.length === 0 || performance.now() > deadline) return lacking
      await sleep(LOOK_MS)
    }
  } finally {
    closeRedis(redis)
  }
}

/**
 * Waits until every feed is live at every edge.
 * @throws Error naming what is not
 */
export async function untilLive(edges: readonly string[], symbols: readonly string[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const lacking = await notLive(edges, symbols)
    if (lacking.length === 0) return
    if (performance.now() > deadline) {
      throw new Error(`not live after ${withinMs} ms: ${lacking.slice(0, 10).join('; ')} (${lacking.length} in all)`)
    }
    await sleep(LOOK_MS)
  }
}

/** Symbols that are not live, at each edge. */
async function notLive(edges: readonly string[], symbols: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(
    edges.map(async edge => {
      using client = openBarClient(edge)
      try {
        const served = new Map((await client.listSymbols()).symbols.map(one => [one.symbol, one.feed.state]))
        return symbols
          .filter(symbol => served.get(symbol) !== 'FEED_STATE_LIVE')
          .map(symbol => `${edge}: ${symbol} is ${served.get(symbol) ?? 'not served'}`)
      } catch (error) {
        return [`${edge}: ${(error as Error).message}`]
      }
    }),
  )
  return answers.flat()
}

/** Bars in the outboxes that have ended by `untilTime`. */
async function waitingBars(redis: RedisConnection, tags: readonly string[], untilTime: number): Promise<string[]> {
  const waiting: string[] = []
  try {
    for (const tag of tags) {
      for await (const entries of scanPending(redis, tag, 500)) {
        for (const [field] of entries) {
          const [, interval = '', openTime] = field.split('|')
          if (Number(openTime) + intervalOf(interval).intervalMs <= untilTime)
            waiting.push(`${pendingKey(tag)} holds ${field}`)
        }
      }
    }
  } catch (error) {
    waiting.push(`Redis: ${(error as Error).message}`)
  }
  return waiting
}
