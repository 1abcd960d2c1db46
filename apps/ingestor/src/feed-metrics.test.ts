import { TradeSequence } from '@chart/market'
import { Registry } from '@chart/service'
import { expect, test } from 'vitest'
import { FeedMetrics } from './feed-metrics.ts'

const TRADE = { tradeTime: 0, price: 1n, quantity: 1n, takerSide: 'buy' } as const

function sequenceOf(...tradeIds: number[]): TradeSequence {
  const sequence = new TradeSequence({ ringTradesMax: 100, waitingTradesMax: 100 })
  sequence.alignTo(0)
  for (const tradeId of tradeIds) sequence.offer({ ...TRADE, tradeId })
  return sequence
}

async function shownBy(registry: Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n')
  return lines.filter(line => !line.startsWith('#') && line).map(line => line.replace('chart_ingestor_', ''))
}

test('nothing is said of feeds that nobody follows, and every state has its zero', async () => {
  const registry = new Registry()
  new FeedMetrics(registry)
  const states = ['live', 'backfilling', 'stale', 'halted'].map(state => `symbols{state="${state}"} 0`)
  const waiting = ['waiting_trades{for="redis"} 0', 'waiting_trades{for="gap"} 0']
  expect(await shownBy(registry)).toEqual([...states, ...waiting])
})

test('a shard that is listened to has an age; symbols and their trades are those of led shards', async () => {
  const registry = new Registry()
  const metrics = new FeedMetrics(registry)
  const led = [
    { state: 'live', sequence: sequenceOf(1, 2, 3) },
    { state: 'live', sequence: sequenceOf() },
    { state: 'backfilling', sequence: sequenceOf(1, 5, 6) },
  ] as const
  const stoodBy = [{ state: 'backfilling', sequence: sequenceOf(1, 9) }] as const
  const seats = [
    { shard: 0, feeds: led, isLed: true, silentMs: 1_500 },
    { shard: 1, feeds: stoodBy, isLed: false, silentMs: 20 as number | undefined },
    { shard: 2, feeds: stoodBy, isLed: false, silentMs: undefined },
  ]
  metrics.follow(() => seats)
  expect(await shownBy(registry)).toEqual([
    'feed_age_seconds{shard="0"} 1.5',
    'feed_age_seconds{shard="1"} 0.02',
    'symbols{state="live"} 2',
    'symbols{state="backfilling"} 1',
    'symbols{state="stale"} 0',
    'symbols{state="halted"} 0',
    'waiting_trades{for="redis"} 4',
    'waiting_trades{for="gap"} 2',
  ])
  seats[1]!.silentMs = undefined
  expect((await shownBy(registry)).filter(line => line.startsWith('feed_age'))).toEqual([
    'feed_age_seconds{shard="0"} 1.5',
  ])
})
