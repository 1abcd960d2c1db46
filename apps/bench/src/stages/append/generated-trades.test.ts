import { tradeFault } from '@chart/market'
import { expect, test } from 'vitest'
import { GENERATED_SYMBOLS, generatedTrades, START_TIME } from './generated-trades.ts'

test.each(GENERATED_SYMBOLS)(
  'generated trades of $symbol are always the same and such as the exchange could have made',
  of => {
    const trades = generatedTrades(of, 2_000, 100)
    expect(trades).toEqual(generatedTrades(of, 2_000, 100))
    expect(trades.map(({ tradeId }) => tradeId)).toEqual(trades.map((_, index) => index + 1))
    expect(trades.filter(trade => tradeFault(trade) !== undefined)).toEqual([])
    expect(trades.filter(({ price, quantity }) => price % of.tick !== 0n || quantity % of.lot !== 0n)).toEqual([])
    expect(trades.at(-1)!.tradeTime).toBe(START_TIME + 20_000)
    expect(new Set(trades.map(({ price }) => price)).size).toBeGreaterThan(20)
  },
)
