import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyTradeToBar,
  type Bar,
  barOfTrade,
  closeTimeOf,
  flatBar,
  isFlat,
  mergeBars,
  nextOpenTimeOf,
  textOfBar,
} from './bar.ts'
import { numbersOf, oracleBars, tradeLists } from './bar-oracle.testing.ts'
import { EXCHANGE_SCALES } from './decimal.ts'
import { intervalOf } from './interval.ts'
import type { Trade } from './trade.ts'

const DAY = intervalOf('1d')
const OPEN = 1_723_161_600_000

/** The bar of `trades`, all taken to fall into one day. */
function barOf(trades: readonly Trade[]): Bar {
  const [first, ...rest] = trades
  const bar = barOfTrade('BTCUSDT', DAY, OPEN, first!, EXCHANGE_SCALES, true)
  return rest.reduce((folded, trade) => applyTradeToBar(folded, trade, EXCHANGE_SCALES), bar)
}

const sameDay = tradeLists().map(trades => trades.map(trade => ({ ...trade, tradeTime: OPEN })))

describe('one bar', () => {
  test('folding trades gives what sorting and summing them gives', () => {
    fc.assert(
      fc.property(sameDay, trades => {
        expect(numbersOf(barOf(trades))).toEqual(oracleBars(trades, DAY.intervalMs).get(OPEN))
      }),
    )
  })

  test('a trade already counted returns the same bar', () => {
    fc.assert(
      fc.property(sameDay, fc.nat(), (trades, pick) => {
        const bar = barOf(trades)
        expect(applyTradeToBar(bar, trades[pick % trades.length]!, EXCHANGE_SCALES)).toBe(bar)
      }),
    )
  })

  test('the first trade of a flat bar replaces its prices, even when they are higher and lower', () => {
    const trade: Trade = { tradeId: 5, tradeTime: OPEN, price: 70n, quantity: 2n, takerSide: 'sell' }
    const bar = applyTradeToBar(flatBar('BTCUSDT', DAY, OPEN, 100n, 'live', true), trade, EXCHANGE_SCALES)
    expect(bar).toEqual(barOf([trade]))
  })

  test('only what the taker bought counts as taker buy', () => {
    const bar = barOf([
      { tradeId: 1, tradeTime: OPEN, price: 10n ** 8n, quantity: 3n, takerSide: 'buy' },
      { tradeId: 2, tradeTime: OPEN, price: 10n ** 8n, quantity: 4n, takerSide: 'sell' },
    ])
    expect(bar).toMatchObject({ baseVolume: 7n, quoteVolume: 7n, takerBuyBaseVolume: 3n, takerBuyQuoteVolume: 3n })
  })
})

describe('merging', () => {
  test('parts cut anywhere, flat ones among them, in any order, merge to the bar of all trades', () => {
    fc.assert(
      fc.property(sameDay, fc.array(fc.nat(), { maxLength: 5 }), fc.boolean(), (trades, cuts, backwards) => {
        const ends = [...cuts.map(cut => cut % trades.length), trades.length].sort((a, b) => a - b)
        const parts = ends
          .map((end, index) => trades.slice(index === 0 ? 0 : ends[index - 1], end))
          .map(part => (part.length === 0 ? flatBar('BTCUSDT', DAY, OPEN, 1n, 'closed', true) : barOf(part)))
        if (backwards) parts.reverse()
        expect(numbersOf(parts.reduce(mergeBars))).toEqual(numbersOf(barOf(trades)))
      }),
    )
  })

  test('a part that is not complete makes the whole not complete, flat or not; identity and state are of the whole', () => {
    const bar = barOf([{ tradeId: 1, tradeTime: OPEN, price: 1n, quantity: 1n, takerSide: 'buy' }])
    const flat = flatBar('BTCUSDT', DAY, OPEN, 1n, 'closed', true)
    for (const part of [flat, bar]) {
      expect(mergeBars(bar, { ...part, complete: false }).complete).toBe(false)
      expect(mergeBars({ ...part, complete: false }, bar).complete).toBe(false)
      const merged = mergeBars(bar, { ...part, symbol: 'X', openTime: 0, interval: '1m', state: 'closed', revision: 3 })
      expect(merged).toMatchObject({ symbol: 'BTCUSDT', openTime: OPEN, interval: '1d', state: 'live', revision: 0 })
    }
  })
})

describe('edges of a bar', () => {
  test('the close time is the last millisecond inside, as the exchange says it', () => {
    const bar = flatBar('BTCUSDT', intervalOf('1m'), OPEN, 1n, 'closed', true)
    expect([nextOpenTimeOf(bar), closeTimeOf(bar), isFlat(bar)]).toEqual([OPEN + 60_000, OPEN + 59_999, true])
  })

  test('as text, every decimal has the digits of its scale', () => {
    const bar = barOf([{ tradeId: 9, tradeTime: OPEN, price: 250n, quantity: 10n ** 8n, takerSide: 'buy' }])
    expect(textOfBar(bar, { price: 2, quantity: 8, quote: 8 })).toEqual({
      symbol: 'BTCUSDT',
      interval: '1d',
      openTime: OPEN,
      closeTime: OPEN + 86_399_999,
      open: '2.50',
      high: '2.50',
      low: '2.50',
      close: '2.50',
      baseVolume: '1.00000000',
      quoteVolume: '0.00000250',
      takerBuyBaseVolume: '1.00000000',
      takerBuyQuoteVolume: '0.00000250',
      tradeCount: 1,
      firstTradeId: 9,
      lastTradeId: 9,
      state: 'live',
      revision: 0,
      complete: true,
    })
  })
})
