import { expect, test } from 'vitest'
import { isSymbol } from './symbol.ts'
import { TRADE_TIME_MAX, TRADE_TIME_MIN, TRADE_UNITS_MAX, type Trade, tradeFault } from './trade.ts'

const TRADE: Trade = { tradeId: 1, tradeTime: 1_723_161_600_000, price: 1n, quantity: 1n, takerSide: 'buy' }

test('a trade at each of the bounds is accepted', () => {
  for (const part of [
    { tradeId: 0 },
    { tradeId: Number.MAX_SAFE_INTEGER },
    { tradeTime: TRADE_TIME_MIN },
    { tradeTime: TRADE_TIME_MAX },
    { price: TRADE_UNITS_MAX - 1n },
    { quantity: TRADE_UNITS_MAX - 1n },
  ]) {
    expect(tradeFault({ ...TRADE, ...part })).toBeUndefined()
  }
})

test.each<[Partial<Trade>, string]>([
  [{ tradeId: -1 }, 'trade id -1'],
  [{ tradeId: 2 ** 53 }, 'is not an id below 2^53'],
  [{ tradeId: 1.5 }, 'trade id 1.5'],
  [{ tradeId: Number.NaN }, 'trade id NaN'],
  [{ tradeTime: 1_723_161_600_000_000 }, 'is not in milliseconds between 2000 and 2100'],
  [{ tradeTime: 1_723_161_600 }, 'is not in milliseconds'],
  [{ tradeTime: TRADE_TIME_MIN + 0.5 }, 'is not in milliseconds'],
  [{ tradeTime: Number.NaN }, 'is not in milliseconds'],
  [{ price: 0n }, 'the price is not above zero'],
  [{ price: -1n }, 'the price is not above zero'],
  [{ quantity: 0n }, 'the quantity is not above zero'],
  [{ quantity: -1n }, 'the quantity is not above zero'],
  [{ price: TRADE_UNITS_MAX }, 'the price is absurdly high'],
  [{ quantity: TRADE_UNITS_MAX }, 'the quantity is absurdly high'],
])('%o is refused with the reason', (part, reason) => {
  expect(tradeFault({ ...TRADE, ...part })).toContain(reason)
})

test('a symbol is capital letters and digits, so that it can stand in a key, a path and a stream name', () => {
  for (const symbol of ['BTCUSDT', '1000SATSUSDT', 'AB', 'A'.repeat(30)]) expect(isSymbol(symbol)).toBe(true)
  for (const text of [
    '',
    'A',
    'btcusdt',
    'BTC-USDT',
    'BTC/USDT',
    'BTC USDT',
    'BTCUSDT\n',
    'ÄÖÜ',
    '{X}',
    'A'.repeat(31),
  ]) {
    expect(isSymbol(text)).toBe(false)
  }
})
