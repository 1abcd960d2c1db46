import { describe, expect, it } from 'vitest'
import { barText } from './bar.testing.ts'
import { legendOf, stateText } from './legend-text.ts'

const valuesOf = (...args: Parameters<typeof legendOf>) =>
  Object.fromEntries(legendOf(...args).map(item => [item.name, item.value]))

describe('the legend', () => {
  it('says all numbers of a bar', () => {
    const bar = barText(Date.UTC(2026, 3, 1, 12, 5), { firstTradeId: 4_001, lastTradeId: 5_234, tradeCount: 1_234 })
    expect(valuesOf(bar, 2)).toEqual({
      time: '2026-04-01 12:05',
      open: '100.00',
      high: '110.00',
      low: '90.00',
      close: '105.00',
      change: '+5.00 %',
      base: '12.50',
      quote: '1.250K',
      buy: '40 %',
      trades: '1,234',
      ids: '4001–5234',
      state: 'closed · complete',
    })
  })

  it('has the exact volume as its title', () => {
    const bar = barText(0, { baseVolume: '1234567.12345678' })
    expect(legendOf(bar, 2).find(item => item.name === 'base')!.title).toBe('base volume 1234567.12345678')
  })

  it('shows no ids and no share of a bar without trades', () => {
    const flat = barText(0, { tradeCount: 0, firstTradeId: -1, lastTradeId: -1, baseVolume: '0.00000000' })
    expect(valuesOf(flat, 2)).toMatchObject({ ids: '–', buy: '–', base: '0', trades: '0' })
  })

  it('has the same items for every bar, so that nothing moves', () => {
    const names = (fields: object) => legendOf(barText(0, fields), 2).map(item => item.name)
    expect(names({ tradeCount: 0 })).toEqual(names({ proof: 'imported', revision: 3 }))
  })
})

describe('what a bar is worth', () => {
  it.each([
    ['live · complete', { state: 'live' }],
    ['live · incomplete', { state: 'live', complete: false }],
    ['closed · complete', {}],
    ['closed · verified', { proof: 'verified' }],
    ['closed · imported', { proof: 'imported', complete: false }],
    ['closed · incomplete · revision 2', { complete: false, revision: 2 }],
    ['closed · verified · revision 1', { proof: 'verified', revision: 1 }],
  ] as const)('%s', (text, fields) => {
    expect(stateText(barText(0, fields))).toBe(text)
  })
})
