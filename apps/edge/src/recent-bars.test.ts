import { expect, test } from 'vitest'
import { type KeptBar, RecentBars } from './recent-bars.ts'

const kept = (openTime: number, revision = 0) => ({
  version: { openTime, revision, lastTradeId: openTime, tradeCount: 1 },
  bar: new Uint8Array(),
})
const timesOf = (bars: readonly KeptBar[]) => bars.map(({ version }) => version.openTime)

test('the newest bars without a hole are at hand', () => {
  const recent = new RecentBars(10, true)
  expect(recent.run()).toEqual([])
  for (const openTime of [10, 20, 40, 50]) recent.add(kept(openTime))
  expect(timesOf(recent.run())).toEqual([40, 50])
  recent.add(kept(50, 1))
  expect(recent.run().at(-1)!.version.revision).toBe(1)
})

test('of an interval that is stored nowhere more are kept', () => {
  const counts = [true, false].map(isStored => {
    const recent = new RecentBars(1, isStored)
    for (let openTime = 0; openTime < 500; openTime++) recent.add(kept(openTime))
    return recent.run().length
  })
  expect(counts).toEqual([16, 120])
})

test('corrected bars stay at hand when they are older, up to a bound that is told', () => {
  const recent = new RecentBars(1, true)
  for (let openTime = 0; openTime < 100; openTime++) recent.add(kept(openTime, openTime === 50 ? 1 : 0))
  recent.add(kept(20, 2))
  expect(timesOf(recent.corrected())).toEqual([20, 50])
  expect(recent.overflown).toBe(false)
  for (let openTime = 0; openTime < 80; openTime++) recent.add(kept(openTime, 3))
  expect(recent.corrected()).toHaveLength(64)
  expect(recent.overflown).toBe(true)
})
