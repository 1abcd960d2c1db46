import { NEEDS_RECORDINGS, RECORDINGS, recordedText } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { quoteQuantityOf, type Trade, textOfSteps, textOfUnits, unitsOf, withEightDecimals } from './trade.ts'

function tradeOf(price: string, quantity: string): Trade {
  return { tradeId: 1, price, quantity, tradeTime: 0, eventTime: 0, buyerIsMaker: false }
}

describe('numbers of the wire', () => {
  test('keep their text through integers', () => {
    for (const text of ['61837.63000000', '0.00000001', '0.00000000', '123456789012345.12345678']) {
      expect(textOfUnits(unitsOf(text))).toBe(text)
    }
    expect([textOfSteps(6183763, 2), textOfSteps(7, 8), textOfSteps(12, 0)]).toEqual([
      '61837.63000000',
      '0.00000007',
      '12.00000000',
    ])
  })

  test('get their zeros back, and more than 8 decimals are refused', () => {
    expect(withEightDecimals('0.00224')).toBe('0.00224000')
    expect(withEightDecimals('51')).toBe('51.00000000')
    expect(() => withEightDecimals('0.123456789')).toThrow('0.123456789')
  })

  test('a quote quantity is cut off, not rounded', () => {
    // 0.064362 × 0.0158 = 0.0010169196
    expect(quoteQuantityOf(tradeOf('0.06436200', '0.01580000'))).toBe('0.00101691')
  })
})

test.skipIf(RECORDINGS === undefined)(`a thousand quote quantities are the exchange’s own${NEEDS_RECORDINGS}`, () => {
  const rows: { price: string; qty: string; quoteQty: string }[] = JSON.parse(
    recordedText('gct-rest-trades-ETHBTC-1000-20230320.json.gz'),
  )
  expect(rows).toHaveLength(1000)
  for (const row of rows) expect(quoteQuantityOf(tradeOf(row.price, row.qty))).toBe(row.quoteQty)
})
