import { type Trade, TradeSequence } from '@chart/market'
import { expect, test } from 'vitest'
import { type HeardFeed, LeaderWatch } from './leader-watch.ts'

const BOUNDS = { ringTradesMax: 100, waitingTradesMax: 100 }

/** A standby's feed that has heard the trades `from` to `to`. */
function heard(from: number, to: number): HeardFeed {
  const sequence = new TradeSequence(BOUNDS)
  for (let tradeId = from; tradeId <= to; tradeId++) {
    const trade: Trade = { tradeId, price: 1n, quantity: 1n, tradeTime: tradeId, takerSide: 'buy' }
    sequence.offer(trade)
    sequence.keepNewest()
  }
  return { symbol: 'BTCUSDT', sequence }
}

/** Looks every 100 ms while the log ends at `head`: when each verdict but `moving` came. */
function verdicts(watch: LeaderWatch, feed: HeardFeed, head: number, untilTime: number): string[] {
  const seen: string[] = []
  for (let now = 0; now <= untilTime; now += 100) {
    const verdict = watch.observe(feed, head, now)
    if (verdict !== 'moving') seen.push(`${verdict} at ${now}`)
  }
  return seen
}

test('a log that stands still before a trade that we hold has stalled after 400 ms', () => {
  expect(verdicts(new LeaderWatch(), heard(5, 12), 10, 400)).toEqual(['stalled at 400'])
})

test('one that stands still before trades that nobody has is unclear after two seconds, and again every second', () => {
  expect(verdicts(new LeaderWatch(), heard(15, 20), 10, 4_500)).toEqual([
    'unclear at 2000',
    'unclear at 3000',
    'unclear at 4000',
  ])
})

test('one that has everything that we heard is moving, however long nothing is traded', () => {
  expect(verdicts(new LeaderWatch(), heard(5, 10), 10, 100_000)).toEqual([])
  expect(verdicts(new LeaderWatch(), heard(1, 0), 10, 100_000)).toEqual([])
})

test('one that moves while it fills a gap before our trades is moving', () => {
  const watch = new LeaderWatch()
  const feed = heard(1_000, 1_010)
  for (let now = 0; now < 60_000; now += 100)
    expect(watch.observe(feed, 10 + Math.floor(now / 1_000), now)).toBe('moving')
})

test('a steal makes the next one wait longer, by either rule', () => {
  const watch = new LeaderWatch()
  const feed = heard(15, 20)
  expect(verdicts(watch, feed, 10, 2_000)).toEqual(['unclear at 2000'])
  watch.noteSteal([feed], 2_000)
  watch.rest()
  const late = []
  for (let now = 2_100; now <= 6_100; now += 100) if (watch.observe(feed, 10, now) === 'unclear') late.push(now)
  expect(late).toEqual([6_100])
})
