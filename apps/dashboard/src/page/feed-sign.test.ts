import { describe, expect, it } from 'vitest'
import { chartStateOf, oldTradeAge } from './feed-sign.ts'

const feed = { symbol: 'BTCUSDT', state: 'live' } as const

describe('the state of a chart', () => {
  it('is that of its feed', () => {
    expect(chartStateOf({ isServed: true, isConnected: true, feed })).toBe('live')
    expect(chartStateOf({ isServed: true, isConnected: true, feed: { ...feed, state: 'halted' } })).toBe('halted')
    expect(chartStateOf({ isServed: true, isConnected: true, feed: undefined })).toBe('unknown')
  })

  it('is unknown where a server of a later release says what this page does not know', () => {
    const later = { ...feed, state: 'auctioned' as 'live' }
    expect(chartStateOf({ isServed: true, isConnected: true, feed: later })).toBe('unknown')
  })

  it('is never live while the server is away', () => {
    expect(chartStateOf({ isServed: true, isConnected: false, feed })).toBe('reconnecting')
  })

  it('says when the symbol is not served', () => {
    expect(chartStateOf({ isServed: false, isConnected: true, feed: undefined })).toBe('unserved')
  })
})

it('the age of a trade is told when it is not young', () => {
  expect(oldTradeAge(1_000, 10_999)).toBeUndefined()
  expect(oldTradeAge(1_000, 11_000)).toBe(10_000)
  expect(oldTradeAge(undefined, 11_000)).toBeUndefined()
  expect(oldTradeAge(0, 11_000)).toBeUndefined()
})
