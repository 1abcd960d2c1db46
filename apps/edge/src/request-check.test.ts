import { describe, expect, test } from 'vitest'
import { checkInterval, checkList, checkSymbol } from './request-check.ts'

const SERVED = { symbols: new Map([['BTCUSDT', '{p01}']]), intervals: new Set(['1s', '1m']) }
const symbolsOf = (items: string[], max = 3) =>
  checkList(items, 'symbols', max, (item, field) => checkSymbol(item, SERVED, field))

describe('a request that cannot be served names its field and says what would do', () => {
  test.each([
    ['', 'INVALID_ARGUMENT', 'symbol is missing; give a symbol such as BTCUSDT'],
    ['btcusdt', 'INVALID_ARGUMENT', 'symbol is not a symbol such as BTCUSDT; symbols are upper case: BTCUSDT'],
    ['BTC USDT', 'INVALID_ARGUMENT', 'symbol is not a symbol such as BTCUSDT'],
    ['BTC{p01}', 'INVALID_ARGUMENT', 'symbol is not a symbol such as BTCUSDT'],
    ['B'.repeat(31), 'INVALID_ARGUMENT', 'symbol is not a symbol such as BTCUSDT'],
    ['constructor', 'INVALID_ARGUMENT', 'symbol is not a symbol such as BTCUSDT; symbols are upper case: CONSTRUCTOR'],
    ['NOSUCH', 'NOT_FOUND', 'symbol NOSUCH is not served; ListSymbols tells what is'],
  ])('symbol "%s": %s', (symbol, rpcCode, message) => {
    expect(() => checkSymbol(symbol, SERVED)).toThrow(expect.objectContaining({ rpcCode, message }))
  })

  test.each([
    ['', 'interval is missing; give one of 1s, 1m'],
    ['1M', 'interval is unknown; give one of 1s, 1m'],
    ['5m', 'interval is unknown; give one of 1s, 1m'],
  ])('interval "%s"', (interval, message) => {
    const error = expect.objectContaining({ rpcCode: 'INVALID_ARGUMENT', message })
    expect(() => checkInterval(interval, SERVED)).toThrow(error)
  })

  test.each([
    [[], 'symbols is empty; give at least one'],
    [['BTCUSDT', 'BTCUSDT', 'bad'], 'symbols[2] is not a symbol such as BTCUSDT; symbols are upper case: BAD'],
    [['BTCUSDT', ''], 'symbols[1] is missing; give a symbol such as BTCUSDT'],
  ])('list %j', (items, message) => {
    const error = expect.objectContaining({ rpcCode: 'INVALID_ARGUMENT', message })
    expect(() => symbolsOf(items)).toThrow(error)
  })

  test('a list with too many different items', () => {
    const error = expect.objectContaining({ message: 'items has too many items; give at most 2' })
    expect(() => checkList(['a', 'b', 'c'], 'items', 2, item => item)).toThrow(error)
  })
})

test('a repeated item counts once', () => {
  expect(symbolsOf(Array.from({ length: 500 }, () => 'BTCUSDT'))).toEqual([{ symbol: 'BTCUSDT', tag: '{p01}' }])
})
