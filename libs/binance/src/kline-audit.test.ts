import type { BarText } from '@chart/market'
import { NEEDS_RECORDINGS, RECORDINGS, recordedText } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { AUDITED_FIELDS, barOfKline, differencesOf, type TradeIds } from './kline-audit.ts'
import { type Kline, klinesOf } from './rest-message.ts'

const KLINE: Kline = {
  openTime: 1_588_740_120_000,
  closeTime: 1_588_740_179_999,
  open: '9033.34000000',
  high: '9039.99000000',
  low: '9032.75000000',
  close: '9033.15000000',
  baseVolume: '31.19296800',
  quoteVolume: '281893.08800082',
  tradeCount: 282,
  takerBuyBaseVolume: '6.35810300',
  takerBuyQuoteVolume: '57447.26912415',
}

const IDS: TradeIds = { firstTradeId: 1_000, lastTradeId: 1_281 }
const { proof, ...numbers } = barOfKline('BTCUSDT', '1m', KLINE)
const BAR: BarText = { ...numbers, ...IDS, complete: true }

describe('a bar and the exchange’s kline', () => {
  test.each<[string, Partial<BarText>]>([
    ['as they are written', {}],
    ['with fewer zeros', { open: '9033.34', baseVolume: '31.192968', high: '9039.990' }],
    ['with more', { low: '09032.7500000000', takerBuyBaseVolume: '6.358103000000000000' }],
    ['whatever is no number of the bar', { revision: 3, complete: false, proof: 'verified' }],
  ])('are the same %s', (_, over) => {
    expect(differencesOf({ ...BAR, ...over }, KLINE, IDS)).toEqual([])
  })

  test.each([
    ['open', '9033.34000001'],
    ['high', '9039.98999999'],
    ['low', '9032'],
    ['close', '90331.5'],
    ['baseVolume', '31.192968001'],
    ['quoteVolume', '281893.08800083'],
    ['tradeCount', 281],
    ['takerBuyBaseVolume', '0'],
    ['takerBuyQuoteVolume', '57447.26912410'],
    ['firstTradeId', 999],
    ['lastTradeId', 1_282],
  ] as const)('differ in %s, with both values as they are written', (field, value) => {
    expect(differencesOf({ ...BAR, [field]: value }, KLINE, IDS)).toEqual([
      { field, ours: String(value), theirs: String({ ...KLINE, ...IDS }[field]) },
    ])
  })

  test('differ in several fields in the order of the list', () => {
    const other = { ...BAR, quoteVolume: '1', open: '2', lastTradeId: 3 }
    expect(differencesOf(other, KLINE, IDS).map(({ field }) => field)).toEqual(['open', 'quoteVolume', 'lastTradeId'])
  })

  test('are not compared by ids that REST does not tell, nor by those that an imported bar does not have', () => {
    expect(differencesOf({ ...BAR, firstTradeId: 7 }, KLINE)).toEqual([])
    expect(differencesOf(barOfKline('BTCUSDT', '1m', KLINE), KLINE, IDS)).toEqual([])
  })

  test('differ in the last of twenty-eight digits', () => {
    const kline = { ...KLINE, quoteVolume: '12345678901234567890.12345678' }
    expect(differencesOf({ ...BAR, quoteVolume: '12345678901234567890.12345679' }, kline)).toHaveLength(1)
    expect(differencesOf({ ...BAR, quoteVolume: '12345678901234567890.123456780' }, kline)).toEqual([])
  })

  test('zero is zero, however many places it has', () => {
    const flat = { ...KLINE, baseVolume: '0.00000000', tradeCount: 0 }
    expect(differencesOf({ ...BAR, baseVolume: '0', tradeCount: 0 }, flat)).toEqual([])
    expect(differencesOf({ ...BAR, baseVolume: '0.00000001', tradeCount: 0 }, flat)).toHaveLength(1)
  })
})

test(`a recorded kline is a bar and the bar is the kline again${NEEDS_RECORDINGS}`, ({ skip }) => {
  if (RECORDINGS === undefined) return skip()
  const klines = klinesOf(JSON.parse(recordedText('gct-rest-klines-BTCUSDT-1m-20200506.json')))
  expect(klines).toHaveLength(60)
  for (const kline of klines) {
    const bar = barOfKline('BTCUSDT', '1m', kline)
    expect(bar).toMatchObject({ ...kline, state: 'closed', proof: 'imported', complete: false, firstTradeId: -1 })
    expect(differencesOf(bar, kline)).toEqual([])
  }
  expect(AUDITED_FIELDS).toHaveLength(11)
})
