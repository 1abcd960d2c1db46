import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Trade } from './trade.ts'
import { TradeSequence } from './trade-sequence.ts'

function tradeOf(tradeId: number): Trade {
  return { tradeId, tradeTime: 1_723_161_600_000 + tradeId, price: BigInt(tradeId + 1), quantity: 1n, takerSide: 'buy' }
}

const idsOf = (trades: readonly Trade[]) => trades.map(trade => trade.tradeId)
const ids = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const bounds = { ringTradesMax: 8, waitingTradesMax: 6 }

/** What can happen to an ingestor, with sizes that are taken modulo what is possible at that moment. */
type Event =
  | { kind: 'deliver'; count: number; shuffle: number }
  | {
      kind: 'drop' | 'repeat' | 'backfill' | 'store' | 'storeUnheard' | 'rollback' | 'otherWriter' | 'standby'
      count: number
    }

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('deliver' as const), count: fc.nat(12), shuffle: fc.nat() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'drop' as const,
        'repeat' as const,
        'backfill' as const,
        'store' as const,
        'store' as const,
      ),
      count: fc.nat(12),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('storeUnheard' as const, 'rollback' as const, 'otherWriter' as const, 'standby' as const),
      count: fc.nat(12),
    }),
  },
)

/** The exchange, the socket, REST and the trade log around one TradeSequence. The log checks every run that it is handed. */
class World {
  readonly exchange: Trade[]
  /** Index in `exchange` of what the socket sends next: everything before it exists. */
  sent = 0
  /** How many of `exchange` are in the log, from the first on. */
  stored: number
  readonly sequence = new TradeSequence(bounds)

  constructor(missing: ReadonlySet<number>, stored: number) {
    this.exchange = ids(0, 119)
      .filter(id => !missing.has(id))
      .map(tradeOf)
    this.stored = stored
    this.sent = stored
    this.align()
  }

  get head(): number {
    return this.exchange[this.stored - 1]?.tradeId ?? -1
  }

  align(): void {
    this.sequence.alignTo(this.head)
  }

  offer(trade: Trade): void {
    this.sequence.offer(trade)
    expect(this.sequence.waitingCount).toBeLessThanOrEqual(bounds.waitingTradesMax)
  }

  /** One page of REST from the first missing id on, as the ingestor asks for it. */
  backfill(count: number): void {
    const from = this.sequence.gapStart
    if (from === undefined) return
    const page = this.exchange.slice(0, this.sent).filter(trade => trade.tradeId >= from)
    const first = page[0]
    if (first === undefined) return
    this.sequence.confirmHole(first.tradeId)
    for (const trade of page.slice(0, count + 1)) {
      this.offer(trade)
      // Between the trades of a page the exchange has none either.
      const next = page[page.indexOf(trade) + 1]
      if (next !== undefined && this.sequence.lastId === trade.tradeId) this.sequence.confirmHole(next.tradeId)
    }
  }

  /** The compare-and-append of the trade log: what it accepts is exactly what comes next, holes only where the exchange has them. */
  store(count: number, heard = true): void {
    const { trades, holeBefore } = this.sequence.nextRun(count + 1)
    if (trades.length === 0) return
    expect(trades.length).toBeLessThanOrEqual(count + 1)
    expect(this.sequence.storedId).toBe(this.head)
    expect(trades).toEqual(this.exchange.slice(this.stored, this.stored + trades.length))
    expect(idsOf(trades)).toEqual(ids(trades[0]!.tradeId, trades.at(-1)!.tradeId))
    expect(holeBefore).toBe(trades[0]!.tradeId !== this.head + 1)
    this.stored += trades.length
    if (heard) this.sequence.markStored(this.head)
    else this.align()
  }

  happen(event: Event): void {
    const { count } = event
    switch (event.kind) {
      case 'deliver': {
        const batch = this.exchange.slice(this.sent, this.sent + count)
        this.sent += batch.length
        for (let left = batch.length, shuffle = event.shuffle; left > 0; left--, shuffle = shuffle * 7 + 3) {
          this.offer(batch.splice(shuffle % Math.min(left, 1 + (event.shuffle % 4)), 1)[0]!)
        }
        break
      }
      case 'drop':
        this.sent = Math.min(this.exchange.length, this.sent + count)
        break
      case 'repeat':
        for (const trade of this.exchange.slice(Math.max(0, this.sent - count * 3), this.sent)) this.offer(trade)
        break
      case 'backfill':
        this.backfill(count)
        break
      case 'store':
        this.store(count)
        break
      case 'storeUnheard':
        this.store(count, false)
        break
      case 'rollback':
        this.stored = Math.max(0, this.stored - count)
        this.align()
        break
      case 'otherWriter':
        this.stored = Math.min(this.sent, this.stored + count)
        this.align()
        break
      case 'standby': {
        // For a while another one leads; this one keeps the newest trades, and then takes over.
        const batch = this.exchange.slice(this.sent, this.sent + count * 3)
        this.sent += batch.length
        for (const [index, trade] of batch.entries()) {
          if (index % 5 !== 3) this.offer(trade)
          if (index % 3 === 0) this.sequence.keepNewest()
        }
        if (count % 3 === 0 && this.sent > 0) this.sequence.noteSeen(this.exchange[this.sent - 1]!.tradeId)
        this.sequence.keepNewest()
        this.stored = Math.max(this.stored, this.sent - count)
        this.align()
        break
      }
      default:
        event satisfies never
    }
    const { storedId, lastId, seenId, gapStart } = this.sequence
    expect(storedId! <= lastId! && lastId! <= seenId, `${storedId} ≤ ${lastId} ≤ ${seenId}`).toBe(true)
    expect(gapStart).toBe(lastId! < seenId ? lastId! + 1 : undefined)
  }

  /** Peace: everything is sent, asked for and stored. */
  settle(): void {
    this.sent = this.exchange.length
    this.sequence.noteSeen(this.exchange.at(-1)!.tradeId)
    for (let turn = 0; turn < 200 && this.stored < this.exchange.length; turn++) {
      this.backfill(10)
      this.store(10)
    }
  }
}

describe('whatever happens', () => {
  test('the log gets exactly the trades of the exchange, in order, once, with no hole but those the exchange has', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 118 }), { maxLength: 10 }),
        fc.nat(30),
        fc.array(event, { maxLength: 60 }),
        (missing, stored, events) => {
          const world = new World(new Set(missing), stored)
          for (const one of events) world.happen(one)
          world.settle()
          expect(world.stored).toBe(world.exchange.length)
          expect(world.sequence.waitingCount).toBe(0)
          expect(world.sequence.unstoredCount).toBe(0)
        },
      ),
      { numRuns: 3_000 },
    )
  })
})

describe('order', () => {
  test('trades in any order come out in id order once the first missing one is there', () => {
    const sequence = new TradeSequence(bounds)
    sequence.alignTo(9)
    expect([12, 10, 12, 11, 10].map(id => sequence.offer(tradeOf(id)))).toEqual([
      'waiting',
      'added',
      'duplicate',
      'added',
      'duplicate',
    ])
    expect(sequence.nextRun(100)).toEqual({ trades: ids(10, 12).map(tradeOf), holeBefore: false })
    expect(sequence.gapStart).toBeUndefined()
  })

  test('a run ends at a hole, and the run after it says so', () => {
    const sequence = new TradeSequence(bounds)
    sequence.alignTo(0)
    for (const id of [1, 2, 5, 6]) sequence.offer(tradeOf(id))
    sequence.confirmHole(5)
    expect(idsOf(sequence.nextRun(100).trades)).toEqual([1, 2])
    sequence.markStored(2)
    expect(sequence.nextRun(1)).toEqual({ trades: [tradeOf(5)], holeBefore: true })
    sequence.markStored(5)
    expect(sequence.nextRun(1)).toEqual({ trades: [tradeOf(6)], holeBefore: false })
  })

  test('before anything is known there is no state, and the first trade starts one', () => {
    const sequence = new TradeSequence(bounds)
    expect([sequence.lastId, sequence.seenId, sequence.storedId, sequence.gapStart]).toEqual([
      undefined,
      -1,
      undefined,
      undefined,
    ])
    expect(sequence.nextRun(1)).toEqual({ trades: [], holeBefore: false })
    sequence.confirmHole(7)
    sequence.keepNewest()
    expect(sequence.lastId).toBeUndefined()
    expect(sequence.offer(tradeOf(5))).toBe('added')
    sequence.alignTo(3)
    expect(sequence.gapStart).toBe(4)
    sequence.offer(tradeOf(4))
    expect(idsOf(sequence.nextRun(9).trades)).toEqual([4, 5])
  })
})

describe('holes', () => {
  test('a hole ends before a trade that waits here, whatever REST answered', () => {
    const sequence = new TradeSequence(bounds)
    sequence.alignTo(3)
    sequence.offer(tradeOf(7))
    sequence.confirmHole(10)
    expect(sequence.nextRun(9)).toEqual({ trades: [tradeOf(7)], holeBefore: true })
    expect(sequence.gapStart).toBe(8)
  })

  test('a rollback to the trade before a known hole is served from memory, not asked for again', () => {
    const sequence = new TradeSequence({ ringTradesMax: 4, waitingTradesMax: 6 })
    sequence.alignTo(2)
    sequence.offer(tradeOf(5))
    sequence.confirmHole(5)
    sequence.markStored(5)
    sequence.alignTo(2)
    expect(sequence.gapStart).toBeUndefined()
    expect(sequence.nextRun(9)).toEqual({ trades: [tradeOf(5)], holeBefore: true })
  })

  test('the trade after a hole is known to exist, so it is asked for', () => {
    const sequence = new TradeSequence(bounds)
    sequence.alignTo(3)
    sequence.noteSeen(4)
    sequence.confirmHole(10)
    expect(sequence.gapStart).toBe(10)
    expect(sequence.seenId).toBe(10)
  })
})

describe('bounds', () => {
  test('when no more trades may wait, those refused are asked for with the gap, so nothing is lost', () => {
    const world = new World(new Set(), 10)
    for (const id of ids(12, 60)) world.offer(tradeOf(id))
    world.sent = 61
    expect(world.sequence.waitingCount).toBe(bounds.waitingTradesMax)
    expect(world.sequence.gapStart).toBe(10)
    for (let turn = 0; turn < 10; turn++) world.backfill(6)
    expect(idsOf(world.sequence.nextRun(1_000).trades)).toEqual(ids(10, 60))
  })

  test('stored trades are forgotten beyond the ring, and then asked for again after a rollback', () => {
    const sequence = new TradeSequence({ ringTradesMax: 8, waitingTradesMax: 100 })
    sequence.alignTo(-1)
    for (const id of ids(0, 999)) {
      sequence.offer(tradeOf(id))
      sequence.markStored(id)
    }
    sequence.alignTo(994)
    expect(idsOf(sequence.nextRun(99).trades)).toEqual(ids(995, 999))
    sequence.alignTo(900)
    expect(sequence.unstoredCount).toBe(0)
    expect(sequence.gapStart).toBe(901)
    expect(sequence.waitingCount).toBeLessThanOrEqual(10)
    for (const id of ids(901, 999)) sequence.offer(tradeOf(id))
    expect(idsOf(sequence.nextRun(999).trades)).toEqual(ids(901, 999))
  })
})

describe('standby', () => {
  test('it keeps the newest run without storing, and a takeover goes on from the head of the log', () => {
    const sequence = new TradeSequence({ ringTradesMax: 8, waitingTradesMax: 6 })
    for (const id of [...ids(100, 150), ...ids(160, 200)]) {
      sequence.offer(tradeOf(id))
      sequence.keepNewest()
      expect(sequence.unstoredCount).toBe(0)
    }
    sequence.alignTo(195)
    expect(sequence.nextRun(99)).toEqual({ trades: ids(196, 200).map(tradeOf), holeBefore: false })
  })

  test('trades that it refused, or only heard of, are not taken for known', () => {
    const refused = new TradeSequence({ ringTradesMax: 100, waitingTradesMax: 3 })
    for (const id of [1, ...ids(8, 20)]) refused.offer(tradeOf(id))
    refused.keepNewest()
    refused.offer(tradeOf(21))
    refused.alignTo(9)
    expect(refused.nextRun(99)).toEqual({ trades: [tradeOf(10)], holeBefore: false })
    refused.markStored(10)
    expect(refused.nextRun(99).trades).toEqual([])
    expect(refused.gapStart).toBe(11)

    const heard = new TradeSequence(bounds)
    for (const id of [1, 8]) heard.offer(tradeOf(id))
    heard.noteSeen(20)
    heard.keepNewest()
    heard.alignTo(8)
    expect(heard.gapStart).toBe(9)
  })

  test('one that is behind the log when it takes over asks for nothing that is stored', () => {
    const sequence = new TradeSequence(bounds)
    for (const id of [...ids(1, 5), ...ids(9, 11)]) sequence.offer(tradeOf(id))
    sequence.alignTo(9)
    expect(idsOf(sequence.nextRun(99).trades)).toEqual([10, 11])
    sequence.alignTo(30)
    expect([sequence.lastId, sequence.gapStart, sequence.waitingCount]).toEqual([30, undefined, 0])
  })
})
