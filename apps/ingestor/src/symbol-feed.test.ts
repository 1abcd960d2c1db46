import type { SymbolInfo } from '@chart/binance'
import { EXCHANGE_SCALES, type Trade } from '@chart/market'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BLOCK_TRADES_MAX, HELD_TRADES_MAX, heldTradesMaxOf, SymbolFeed } from './symbol-feed.ts'

const START_TIME = 1_723_161_240_000
const INFO: SymbolInfo = {
  symbol: 'BTCUSDT',
  status: 'TRADING',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  scales: EXCHANGE_SCALES,
  tickSize: '0.01000000',
  stepSize: '0.00001000',
  simulated: false,
}
const HALTED: SymbolInfo = { ...INFO, status: 'BREAK' }

function tradeOf(tradeId: number): Trade {
  return { tradeId, tradeTime: START_TIME + tradeId, price: 100n, quantity: 1n, takerSide: 'buy' }
}

/** A feed that is heard, whose log ends at `storedId`. */
function feedAt(storedId: number): SymbolFeed {
  const feed = new SymbolFeed(INFO, '{p00}')
  feed.connect()
  feed.alignTo(storedId)
  return feed
}

const idsOf = (block: ReturnType<SymbolFeed['nextBlock']>) => block?.trades.map(({ tradeId }) => tradeId)

/** Appends all there is, as the leader does. */
function storeAll(feed: SymbolFeed): number[] {
  const ids: number[] = []
  for (let block = feed.nextBlock(0); block !== undefined; block = feed.nextBlock(0)) {
    ids.push(...idsOf(block)!)
    feed.markStored(block)
  }
  return ids
}

test('nothing is appended before the log has told where it stands, nor when it has no beginning', () => {
  const feed = new SymbolFeed(INFO, '{p00}')
  feed.connect()
  feed.receive(tradeOf(8))
  expect(feed.nextBlock(START_TIME)).toBeUndefined()
  feed.markUnseeded()
  expect(feed.nextBlock(START_TIME)).toBeUndefined()
  feed.alignTo(7)
  expect(idsOf(feed.nextBlock(START_TIME))).toEqual([8])
  feed.markUnseeded()
  expect(feed.nextBlock(START_TIME)).toBeUndefined()
})

test('a watermark goes along only with the last trade that is known', () => {
  const feed = feedAt(0)
  for (let id = 1; id <= BLOCK_TRADES_MAX + 1; id++) feed.receive(tradeOf(id))
  const first = feed.nextBlock(START_TIME + 1_000)!
  expect([first.trades.length, first.watermark]).toEqual([BLOCK_TRADES_MAX, 0])
  feed.markStored(first)
  const second = feed.nextBlock(START_TIME + 1_000)!
  expect([second.trades.length, second.watermark]).toEqual([1, START_TIME + 1_000])
  feed.markStored(second)
  expect(feed.nextBlock(START_TIME + 1_000)).toBeUndefined()
  expect(feed.nextBlock(START_TIME + 2_000)).toMatchObject({ trades: [], watermark: START_TIME + 2_000 })
})

test('while a trade is missing the earlier ones are appended, and no watermark', () => {
  const feed = feedAt(0)
  for (const id of [1, 2, 4]) feed.receive(tradeOf(id))
  expect(feed.state).toBe('backfilling')
  const block = feed.nextBlock(START_TIME)!
  expect([idsOf(block), block.watermark]).toEqual([[1, 2], 0])
  feed.markStored(block)
  expect(feed.nextBlock(START_TIME)).toBeUndefined()
  feed.receive(tradeOf(3))
  expect(feed.nextBlock(START_TIME)).toMatchObject({ watermark: START_TIME, feedState: 'live' })
})

test('a feed that is not heard gives what it has and promises nothing', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  feed.disconnect()
  expect(feed.state).toBe('stale')
  expect(feed.nextBlock(START_TIME)).toMatchObject({ watermark: 0, feedState: 'stale' })
})

test('after a reconnect nothing is promised until an id of the exchange has come over this connection', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  storeAll(feed)
  feed.disconnect()
  feed.connect()
  expect([feed.state, feed.nextBlock(START_TIME)]).toEqual(['backfilling', undefined])
  feed.verify(1, feed.connection)
  expect(feed.nextBlock(START_TIME)).toMatchObject({ watermark: START_TIME })
})

test('an answer that was asked for before the reconnect proves nothing', () => {
  const feed = feedAt(0)
  const { connection } = feed
  feed.disconnect()
  feed.verify(0, connection)
  feed.connect()
  feed.verify(0, connection)
  expect([feed.verified, feed.nextBlock(START_TIME)]).toEqual([false, undefined])
})

test('a newest id that we lack is a gap', () => {
  const feed = feedAt(4)
  feed.verify(6, feed.connection)
  expect([feed.state, feed.hasGap, feed.sequence.gapStart]).toEqual(['backfilling', true, 5])
})

test('a symbol whose trading is halted gets no watermark, and the first trade afterwards is marked, alone', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  feed.learn(HALTED, 0)
  expect(feed.state).toBe('halted')
  expect(feed.nextBlock(START_TIME)).toMatchObject({ watermark: 0, afterHalt: false })
  // Nothing is stored yet: the block that holds trades from before the halt must not take the mark.
  for (const id of [2, 3]) feed.receive(tradeOf(id))
  expect(feed.state).toBe('live')
  const before = feed.nextBlock(START_TIME)!
  expect([idsOf(before), before.afterHalt, before.watermark]).toEqual([[1], false, 0])
  feed.markStored(before)
  const after = feed.nextBlock(START_TIME)!
  expect([idsOf(after), after.afterHalt]).toEqual([[2, 3], true])
  feed.markStored(after)
  feed.receive(tradeOf(4))
  expect(feed.nextBlock(START_TIME)).toMatchObject({ afterHalt: false })
})

test('the mark after a halt outlives an append that was under way, and a takeover long afterwards knows nothing of it', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  const underWay = feed.nextBlock(0)!
  feed.learn(HALTED, 0)
  feed.learn(INFO, 0)
  feed.markStored(underWay)
  feed.receive(tradeOf(2))
  expect(feed.nextBlock(0)).toMatchObject({ afterHalt: true })

  const standby = new SymbolFeed(HALTED, '{p00}')
  standby.connect()
  for (const id of [1, 2, 3]) {
    standby.receive(tradeOf(id))
    standby.sequence.keepNewest()
  }
  standby.alignTo(3)
  standby.receive(tradeOf(4))
  expect(standby.nextBlock(0)).toMatchObject({ afterHalt: false })
})

test('trades beyond what may wait for Redis are left to backfill, and no watermark passes them', () => {
  const feed = feedAt(0)
  for (let id = 1; id <= HELD_TRADES_MAX; id++) feed.receive(tradeOf(id))
  expect(feed.receive(tradeOf(HELD_TRADES_MAX + 1))).toBe('refused')
  expect(feed.sequence.unstoredCount).toBe(HELD_TRADES_MAX)
  expect(storeAll(feed)).toHaveLength(HELD_TRADES_MAX)
  expect([feed.state, feed.nextBlock(START_TIME)]).toEqual(['backfilling', undefined])
  feed.receive(tradeOf(HELD_TRADES_MAX + 1))
  expect(feed.nextBlock(START_TIME)).toMatchObject({ watermark: START_TIME })
})

test('an id that leaps is no trade, unless the feed was away', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  expect(feed.receive(tradeOf(5_000_000))).toBe('absurd')
  expect(feed.state).toBe('live')
  feed.disconnect()
  feed.connect()
  expect(feed.receive(tradeOf(5_000_000))).toBe('waiting')
})

test('a state is written again after the log has moved, and an append writes it too', () => {
  const feed = feedAt(0)
  expect(feed.writtenState).toBeUndefined()
  feed.receive(tradeOf(1))
  storeAll(feed)
  expect(feed.writtenState).toBe('live')
  feed.alignTo(1)
  expect(feed.writtenState).toBeUndefined()
})

test('whatever comes in whatever order, blocks follow on without a hole or a repeat, and no watermark passes a trade to come', () => {
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('trade' as const), skip: fc.integer({ min: -6, max: 4 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), lost: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reconnect', 'fill', 'verify') }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('rollback' as const), by: fc.integer({ min: 0, max: 40 }) }),
    },
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), events => {
      const feed = feedAt(0)
      let madeId = 0
      let clock = START_TIME
      const log: Trade[] = []
      let promised = 0
      const append = (lost: boolean) => {
        const block = feed.nextBlock(clock)
        if (block === undefined) return
        const head = log.at(-1)?.tradeId ?? 0
        if (block.expectedTradeId !== head) return feed.alignTo(head)
        for (const trade of block.trades) {
          expect(trade.tradeId).toBe((log.at(-1)?.tradeId ?? 0) + 1)
          expect(trade.tradeTime).toBeGreaterThanOrEqual(promised)
          log.push(trade)
        }
        if (block.watermark > 0) {
          expect(log.at(-1)?.tradeId ?? 0).toBe(madeId)
          promised = Math.max(promised, block.watermark)
        }
        // An answer that is lost: the leader asks the log where it stands.
        if (lost) feed.alignTo(log.at(-1)?.tradeId ?? 0)
        else feed.markStored(block)
      }
      for (const one of events) {
        switch (one.kind) {
          case 'trade': {
            // Frames after a reconnect may be lost unnoticed; over one connection a skipped one shows in the next.
            const id = Math.max(1, madeId + 1 + one.skip)
            madeId = Math.max(madeId, id)
            clock = Math.max(clock, START_TIME + id)
            feed.receive(tradeOf(id))
            break
          }
          case 'append':
            append(one.lost)
            break
          case 'reconnect':
            feed.disconnect()
            feed.connect()
            break
          case 'fill':
            for (let id = feed.sequence.gapStart ?? madeId + 1; id <= madeId; id++) feed.sequence.offer(tradeOf(id))
            break
          case 'verify':
            feed.verify(madeId, feed.connection)
            break
          case 'rollback': {
            // Redis falls back to an earlier state of itself: its watermarks go with it.
            log.splice(Math.max(0, log.length - one.by))
            promised = Math.min(promised, log.at(-1)?.tradeTime ?? 0)
            feed.alignTo(log.at(-1)?.tradeId ?? 0)
            break
          }
          default:
            one satisfies never
        }
      }
    }),
    { numRuns: 2_000 },
  )
})

test('between the end of a halt and the first trade no watermark is promised, since it would make flat bars of the halt', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  feed.markStored(feed.nextBlock(0)!)
  feed.learn(HALTED, 0)
  feed.learn(INFO, 0)
  expect(feed.state).toBe('live')
  expect(feed.nextBlock(START_TIME + 8_000)).toBeUndefined()
  feed.receive(tradeOf(2))
  const block = feed.nextBlock(START_TIME + 8_000)!
  expect([block.afterHalt, block.watermark, idsOf(block)]).toEqual([true, START_TIME + 8_000, [2]])
})

test('a halted symbol stays halted although its feed has nothing to say', () => {
  const feed = feedAt(0)
  feed.learn(HALTED, 0)
  feed.disconnect()
  expect(feed.state).toBe('halted')
})

test('after a doubt no watermark is promised until a trade or an answer asked for since then has come', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  feed.markStored(feed.nextBlock(0)!)
  const { connection } = feed
  feed.doubt()
  expect(feed.nextBlock(START_TIME + 1_000)).toBeUndefined()
  feed.verify(1, connection)
  expect(feed.nextBlock(START_TIME + 1_000)).toBeUndefined()
  feed.verify(1, feed.connection)
  expect(feed.nextBlock(START_TIME + 1_000)?.watermark).toBe(START_TIME + 1_000)
})

test('a silence is promised over only as far as the exchange has said that it trades the symbol', () => {
  const feed = feedAt(0)
  feed.receive(tradeOf(1))
  const silent = START_TIME + 60_000
  const block = feed.nextBlock(silent)!
  expect(block.watermark).toBe(START_TIME + 10_000)
  expect(feed.awaitsStatus).toBe(true)
  feed.markStored(block)
  expect(feed.nextBlock(silent)).toBeUndefined()
  feed.learn(INFO, START_TIME + 30_000)
  expect(feed.awaitsStatus).toBe(false)
  const next = feed.nextBlock(silent)!
  expect(next.watermark).toBe(START_TIME + 30_000)
  feed.markStored(next)
  feed.learn(HALTED, START_TIME + 60_000)
  expect(feed.nextBlock(silent)).toBeUndefined()
  expect(feed.awaitsStatus).toBe(false)
})

test('nothing is promised of a symbol that was not heard before the exchange has said that it trades it', () => {
  const feed = feedAt(7)
  feed.verify(7, feed.connection)
  expect(feed.state).toBe('live')
  expect(feed.nextBlock(START_TIME)).toBeUndefined()
  expect(feed.awaitsStatus).toBe(true)
  feed.learn(INFO, START_TIME)
  expect(feed.nextBlock(START_TIME)?.watermark).toBe(START_TIME)
})

test('up to a hundred symbols hold as much as one may; of more each holds less, and a page at least', () => {
  expect([1, 100, 200, 2_000, 10_000].map(heldTradesMaxOf)).toEqual([20_000, 20_000, 10_000, 1_000, 1_000])
})
