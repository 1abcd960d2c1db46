import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { barText } from './bar.testing.ts'
import { BarStore, newerBar } from './bar-store.ts'

const MINUTE = 60_000

function storeOf(...minutes: number[]): BarStore {
  const store = new BarStore()
  store.merge(minutes.map(minute => barText(minute * MINUTE)))
  return store
}

const minutesOf = (store: BarStore) => store.bars.map(bar => bar.openTime / MINUTE)

describe('merging', () => {
  it('keeps bars in the order of time, whatever the order in which they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 }), { maxLength: 10 }),
        batches => {
          const store = new BarStore()
          for (const batch of batches) store.merge(batch.map(minute => barText(minute * MINUTE)))
          expect(minutesOf(store)).toEqual([...new Set(batches.flat())].sort((a, b) => a - b))
        },
      ),
    )
  })

  it('says from where on bars have changed, and nothing when none has', () => {
    const store = storeOf(1, 2, 3)
    expect(store.merge([barText(4 * MINUTE)])).toBe(4 * MINUTE)
    expect(store.merge([barText(4 * MINUTE)])).toBeUndefined()
    expect(store.merge([barText(2 * MINUTE, { revision: 1 }), barText(5 * MINUTE)])).toBe(2 * MINUTE)
    expect(store.merge([])).toBeUndefined()
  })
})

describe('the newer of two versions', () => {
  const closed = barText(0)
  const live = barText(0, { state: 'live', lastTradeId: 9, tradeCount: 9 })
  it.each([
    ['closed before live', live, closed],
    ['of a higher revision', closed, barText(0, { revision: 1, lastTradeId: 8 })],
    ['made of trades before imported', barText(0, { proof: 'imported', lastTradeId: -1, complete: false }), closed],
    ['further into the trades', live, { ...live, lastTradeId: 10, tradeCount: 10 }],
    ['proven', closed, barText(0, { proof: 'verified' })],
  ])('is the one that is %s', (_, older, newer) => {
    expect(newerBar(older, newer)).toBe(newer)
    expect(newerBar(newer, older)).toBe(newer)
  })

  it('is the one told last where both reach equally far', () => {
    const told = { ...live, complete: false }
    expect(newerBar(live, told)).toBe(told)
  })
})

describe('replacing', () => {
  it('lets go of what was held', () => {
    const store = storeOf(1, 2, 3)
    store.replace([barText(10 * MINUTE), barText(11 * MINUTE)])
    expect(minutesOf(store)).toEqual([10, 11])
  })

  it('keeps the live bar that came before the history', () => {
    const store = storeOf(1)
    store.merge([barText(12 * MINUTE, { state: 'live' })])
    store.replace([barText(10 * MINUTE), barText(11 * MINUTE)])
    expect(minutesOf(store)).toEqual([10, 11, 12])
    store.replace([])
    expect(minutesOf(store)).toEqual([12])
  })
})

describe('trimming', () => {
  it('lets the oldest go, but none that is looked at', () => {
    const store = storeOf(1, 2, 3, 4, 5)
    expect(store.trim(5)).toBe(false)
    expect(store.trim(3, 2 * MINUTE)).toBe(true)
    expect(minutesOf(store)).toEqual([2, 3, 4, 5])
    expect(store.trim(3, 2 * MINUTE)).toBe(false)
    store.trim(3)
    expect(minutesOf(store)).toEqual([3, 4, 5])
  })
})

it('finds a bar by its openTime', () => {
  const store = storeOf(1, 3)
  expect(store.at(3 * MINUTE)?.openTime).toBe(3 * MINUTE)
  expect(store.at(2 * MINUTE)).toBeUndefined()
  expect(store.at(4 * MINUTE)).toBeUndefined()
})
