import type { BarVersion, SeriesPosition } from '@chart/grpc'
import { expect, test } from 'vitest'
import { ClientBars, furthestOf } from './client-bars.ts'
import { type LiveEvent, liveEventOf } from './series-event.ts'

const closed = (openTime: number, revision = 0, lastTradeId = openTime): BarVersion => ({
  openTime,
  state: 'closed',
  revision,
  lastTradeId,
})
const position = (newest: BarVersion, corrected: BarVersion[] = []): SeriesPosition => ({
  symbol: 'A',
  interval: '1m',
  newest,
  corrected,
})
const version = (openTime: number, revision = 0, lastTradeId = openTime) => ({
  openTime,
  revision,
  lastTradeId,
  tradeCount: 3,
})
const live = (openTime: number, throughTradeId: number): LiveEvent =>
  liveEventOf('update', openTime, new Uint8Array(), 0, throughTradeId)

test('who has nothing is told of each bar once, whatever its revision, and of later corrections', () => {
  const client = new ClientBars(undefined)
  expect(client.tellingOf(version(1, 2))).toBe('closed')
  expect(client.tellingOf(version(2))).toBe('closed')
  expect(client.tellingOf(version(2))).toBe(undefined)
  expect(client.tellingOf(version(1, 3))).toBe('corrected')
  expect(client.isPassed).toBe(true)
})

test('who has a closed bar is told of what comes after it, and of corrections that it lacks', () => {
  const client = new ClientBars(position(closed(5), [closed(3, 1), closed(2, 2)]))
  expect([version(1), version(2, 2), version(3, 1), version(4), version(5)].map(one => client.tellingOf(one))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(client.tellingOf(version(2, 3))).toBe('corrected')
  expect(client.tellingOf(version(4, 1))).toBe('corrected')
  expect(client.tellingOf(version(5, 0, 9))).toBe('corrected')
  expect(client.tellingOf(version(6, 1))).toBe('closed')
})

test('who has a live bar is told that it closed, and is not taken back to an earlier state of it', () => {
  const client = new ClientBars(position({ openTime: 5, state: 'live', revision: 0, lastTradeId: 50 }))
  expect(client.takesLive(live(4, 60))).toBe(false)
  expect(client.takesLive(live(5, 49))).toBe(false)
  expect(client.isPassed).toBe(false)
  expect(client.takesLive(live(5, 50))).toBe(true)
  expect(client.isPassed).toBe(true)
  expect(client.tellingOf(version(4))).toBe(undefined)
  expect(client.tellingOf(version(5))).toBe('closed')
  expect(client.takesLive(live(5, 60))).toBe(false)
  expect(client.takesLive(live(6, 60))).toBe(true)
})

test('of two positions that of the later bar is further, then the closed one, then that with more trades', () => {
  const live = (openTime: number, lastTradeId: number) =>
    position({ openTime, state: 'live', revision: 0, lastTradeId })
  const ordered = [live(5, 50), live(5, 51), position(closed(5)), live(6, 60)]
  for (const [index, later] of ordered.entries()) {
    for (const earlier of ordered.slice(0, index)) {
      expect(furthestOf(earlier, later)).toBe(later)
      expect(furthestOf(later, earlier)).toBe(later)
    }
  }
  expect(furthestOf(undefined, ordered[0])).toBe(ordered[0])
  expect(furthestOf(ordered[0], undefined)).toBe(ordered[0])
  expect(furthestOf(undefined, undefined)).toBe(undefined)
})
