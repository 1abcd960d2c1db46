import { NEEDS_RECORDINGS, RECORDINGS } from '@chart/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXCHANGE_SCALES, type Scales } from './decimal.ts'
import { packTrades, unpackTrades, VarintReader, VarintWriter } from './packed-trades.ts'
import { recordedEthBtc, recordedFrames, recordedRows } from './recordings.testing.ts'
import { TRADE_TIME_MAX, TRADE_TIME_MIN, TRADE_UNITS_MAX, type Trade, tradeFault } from './trade.ts'

const amounts = fc.oneof(
  fc.bigInt({ min: 1n, max: TRADE_UNITS_MAX - 1n }),
  fc.bigInt({ min: 1n, max: 10n ** 6n }).map(value => value * 10n ** 6n),
  fc.bigInt({ min: 1n, max: 10n ** 17n }),
)
const runs: fc.Arbitrary<Trade[]> = fc
  .tuple(
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 50 }),
    fc.array(
      fc.record({
        tradeTime: fc.oneof(
          fc.integer({ min: TRADE_TIME_MIN, max: TRADE_TIME_MAX }),
          fc.integer({ min: 1_723_161_600_000, max: 1_723_161_600_050 }),
        ),
        price: amounts,
        quantity: amounts,
        takerSide: fc.constantFrom<'buy' | 'sell'>('buy', 'sell'),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  )
  .map(([first, list]) => list.map((trade, index) => ({ tradeId: first + index, ...trade })))
const scales: fc.Arbitrary<Scales> = fc.record({
  price: fc.integer({ min: 0, max: 18 }),
  quantity: fc.integer({ min: 0, max: 18 }),
  quote: fc.integer({ min: 0, max: 18 }),
})

describe('packing', () => {
  test('any run of trades that may enter, at any scale, comes back as it was', () => {
    fc.assert(
      fc.property(runs, scales, (trades, given) => {
        for (const trade of trades) expect(tradeFault(trade)).toBeUndefined()
        expect(unpackTrades(packTrades(trades, given))).toEqual({ scales: given, trades })
      }),
      { numRuns: 500 },
    )
  })

  test('an empty run and one with a hole, a repeat or a step back are refused', () => {
    const trade: Trade = { tradeId: 5, tradeTime: 1_723_161_600_000, price: 1n, quantity: 1n, takerSide: 'buy' }
    expect(() => packTrades([], EXCHANGE_SCALES)).toThrow('at least one trade')
    for (const tradeId of [7, 5, 4]) {
      expect(() => packTrades([trade, { ...trade, tradeId }], EXCHANGE_SCALES)).toThrow(`${tradeId} is not 6`)
    }
  })

  test('trades too large for the room that is kept are refused, not cut off', () => {
    const trade: Trade = { tradeId: 5, tradeTime: 1, price: 10n ** 400n + 1n, quantity: 1n, takerSide: 'buy' }
    expect(() => packTrades([trade], EXCHANGE_SCALES)).toThrow(RangeError)
  })
})

describe('damaged bytes', () => {
  test('a run cut off anywhere, or with bytes behind it, throws', () => {
    fc.assert(
      fc.property(runs, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 5 }), (trades, cut, more) => {
        const bytes = packTrades(trades, EXCHANGE_SCALES)
        expect(() => unpackTrades(bytes.subarray(0, cut % bytes.length))).toThrow(RangeError)
        expect(() => unpackTrades(Uint8Array.from([...bytes, ...more]))).toThrow(RangeError)
      }),
    )
  })

  test('any other bytes throw a RangeError or mean some trades, at once', () => {
    const header = [255, 255, 255, 255, 255, 255, 255, 127]
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constant(Uint8Array.from([8, 8, 8, ...header, ...header, 1, 1, 1, 1, 1, 1])),
      fc.constant(Uint8Array.from([...header, 8, 8, ...header, 0, 1, 1, 1, 1, 1, 1])),
      fc.tuple(runs, fc.nat(), fc.nat({ max: 255 })).map(([trades, at, byte]) => {
        const whole = Uint8Array.from(packTrades(trades, EXCHANGE_SCALES))
        whole[at % whole.length] = byte
        return whole
      }),
    )
    fc.assert(
      fc.property(bytes, damaged => {
        try {
          expect(unpackTrades(damaged).trades.length).toBeLessThanOrEqual(damaged.length)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    )
  })
})

describe.skipIf(RECORDINGS === undefined)(`size on recorded trades${NEEDS_RECORDINGS}`, () => {
  test.each([
    ['BTCUSDT 2024', recordedFrames],
    ['BTCUSDT 2026', recordedRows],
    ['ETHBTC 2023', recordedEthBtc],
  ])('%s: at most 15 bytes a trade in entries of 50 trades, and 20 in entries of 5', (_name, read) => {
    const trades = read().map(({ trade }) => trade)
    for (const [length, bytesMax] of [
      [50, 15],
      [5, 20],
    ] as const) {
      let bytes = 0
      for (let start = 0; start < trades.length; start += length) {
        const run = trades.slice(start, start + length)
        const packed = packTrades(run, EXCHANGE_SCALES)
        expect(unpackTrades(packed).trades).toEqual(run)
        bytes += packed.length
      }
      expect(bytes / trades.length).toBeLessThanOrEqual(bytesMax)
    }
  })
})

test('varints of any size come back, and so do the bytes behind them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 2n ** 90n })), { maxLength: 20 }),
      values => {
        const writer = new VarintWriter(20 * 14)
        for (const value of values) typeof value === 'number' ? writer.number(value) : writer.bigint(value)
        const reader = new VarintReader(Uint8Array.from([...writer.bytes(), 1, 2, 3]))
        for (const value of values) expect(typeof value === 'number' ? reader.number() : reader.bigint()).toBe(value)
        expect([...reader.bytes(3)]).toEqual([1, 2, 3])
        expect(reader.atEnd).toBe(true)
        expect(() => reader.bytes(1)).toThrow(RangeError)
      },
    ),
  )
})
