import { encodeBar, frameBarEvent, frameHeartbeat, frameWithMerged } from '@chart/grpc'
import { EXCHANGE_SCALES, flatBar, intervalOf, textOfBar } from '@chart/market'
import { expect, test } from 'vitest'
import { Tally } from '../src/stages/fan-out/tally.ts'

test('the benchmark counts updates, what was merged into them, and how old they are, in responses as the edge writes them', () => {
  const flat = flatBar('BTCUSDT', intervalOf('1m'), 1_723_161_240_000, 10_000_000_000n, 'live', true)
  const bar = encodeBar(textOfBar(flat, EXCHANGE_SCALES))
  const now = 1_723_161_250_000
  const frames = [
    frameBarEvent('snapshot', bar, 0),
    frameBarEvent('update', bar, now - 7),
    frameWithMerged(frameBarEvent('update', bar, now - 999), 300),
    frameHeartbeat({ symbol: 'BTCUSDT', state: 'live', lastTradeId: 1, lastTradeTime: 2, watermark: 3, ageMs: 4 }),
    frameBarEvent('closed', bar, 0),
  ]
  const response = Buffer.concat([Buffer.alloc(9), ...frames])
  const tally = new Tally()
  tally.add(response, 9, response.length, now)
  const bytes = response.length - 9
  expect(tally.take()).toEqual({ messages: 1, bytes, updates: 2, timed: 2, merged: 300, p50Ms: 7.5, p99Ms: 999.48 })
  expect(tally.take()).toMatchObject({ messages: 0, updates: 0, p50Ms: undefined })
})

test('a percentile is interpolated within its millisecond, and never below zero', () => {
  const flat = flatBar('BTCUSDT', intervalOf('1m'), 1_723_161_240_000, 10_000_000_000n, 'live', true)
  const bar = encodeBar(textOfBar(flat, EXCHANGE_SCALES))
  const now = 1_723_161_250_000
  const tally = new Tally()
  const tell = (latencyMs: number, times: number): void => {
    const frame = frameBarEvent('update', bar, now - latencyMs)
    for (let time = 0; time < times; time++) tally.add(frame, 0, frame.length, now)
  }
  tell(3, 100)
  expect(tally.take()).toMatchObject({ timed: 100, p50Ms: 3, p99Ms: 3.49 })
  tell(1, 40)
  tell(2, 40)
  tell(70_000, 20)
  expect(tally.take()).toMatchObject({ timed: 100, p50Ms: 1.75, p99Ms: 60_000 })
  tell(-5, 100)
  expect(tally.take()).toMatchObject({ p50Ms: 0, p99Ms: 0.49 })
})
