import { encodeBar } from '@chart/grpc'
import { type BarText, intervalOf } from '@chart/market'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type BarTelling, SeriesLine } from './series-line.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const MINUTE = 60_000

function barOf(minute: number, tradeCount: number, state: BarText['state'] = 'live'): BarText {
  const openTime = minute * MINUTE
  const numbers = { open: '1', high: '1', low: '1', close: '1', baseVolume: '1', quoteVolume: '1' }
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE - 1,
    ...numbers,
    takerBuyBaseVolume: '0',
    takerBuyQuoteVolume: '0',
    tradeCount,
    firstTradeId: 1,
    lastTradeId: tradeCount,
    state,
    revision: 0,
    complete: true,
  }
}

function followed() {
  const line = new SeriesLine('BTCUSDT', intervalOf('1m'))
  const told: BarTelling[] = []
  line.add({ onBar: telling => told.push(telling), onMissed: () => undefined })
  const setLive = (minute: number, tradeCount: number) =>
    line.setLive(minute * MINUTE, encodeBar(barOf(minute, tradeCount)))
  const close = (minute: number) => line.tellClosed(minute * MINUTE, encodeBar(barOf(minute, 9, 'closed')))
  const tellings = () =>
    told.map(({ text }) => {
      const { openTime, state, tradeCount } = JSON.parse(text.split('data: ')[1]!)
      return `${openTime / MINUTE} ${state} ${tradeCount}`
    })
  return { line, told, setLive, close, tellings }
}

test('a live bar is told at once; those that follow within 16 ms as one, the newest', () => {
  const { setLive, tellings } = followed()
  for (const count of [1, 2, 3]) setLive(0, count)
  expect(tellings()).toEqual(['0 live 1'])
  vi.advanceTimersByTime(16)
  expect(tellings()).toEqual(['0 live 1', '0 live 3'])
  vi.advanceTimersByTime(16)
  setLive(0, 4)
  expect(tellings()).toEqual(['0 live 1', '0 live 3', '0 live 4'])
})

test('closed bars are never held back, and a live bar that waits is not told after its closing', () => {
  const { line, setLive, close, tellings } = followed()
  setLive(0, 1)
  setLive(0, 2)
  close(0)
  expect(tellings()).toEqual(['0 live 1', '0 closed 9'])
  expect(line.snapshot()).toBeUndefined()
  vi.advanceTimersByTime(100)
  expect(tellings()).toEqual(['0 live 1', '0 closed 9'])
  setLive(1, 1)
  expect(tellings().at(-1)).toBe('1 live 1')
})

test('a correction leaves the live bar as it is', () => {
  const { line, setLive, close } = followed()
  setLive(5, 1)
  close(3)
  expect(line.snapshot()!.openTime).toBe(5 * MINUTE)
})

test('one version of a bar is one text for all', () => {
  const { line, told, setLive } = followed()
  setLive(0, 1)
  expect(line.snapshot()).toBe(told[0])
  expect(line.snapshot()).toBe(told[0])
})
