import { describe, expect, test } from 'vitest'
import { barText, type Interval, intervals } from './bar.ts'
import { Klines } from './klines.ts'
import { seededDefaults } from './options.ts'
import { oracleBars } from './oracle.ts'
import { createRecordedMarket } from './recorded-market.ts'
import { createSeededMarket } from './seeded-market.ts'
import { Tape } from './tape.ts'

const genesisTime = Date.UTC(2026, 0, 1)

describe('klines, which are merged from minutes that are summed once,', () => {
  for (const lateShare of [0, 0.7]) {
    test(`equal the oracle's bars in every interval, live ones too, with a late share of ${lateShare}`, async () => {
      const market = createSeededMarket({
        ...seededDefaults,
        genesisTime,
        symbols: ['ETHBTC'],
        tradesPerSecond: 3,
        silentMinuteShare: 0.3,
        lateShare,
      })
      const tape = new Tape(market.histories.get('ETHBTC')!, genesisTime + 30_000)
      const klines = new Klines(tape)
      // Followed from early on, as with a subscriber, while time passes in uneven steps.
      for (let time = genesisTime + 31_000; time < genesisTime + 7_500_500; time += 23_456) {
        tape.advanceTo(time)
        klines.live('1m', Math.floor(time / 60_000) * 60_000)
      }
      for (const interval of Object.keys(intervals) as Interval[]) {
        const intervalMs = intervals[interval]
        const from = interval === '1s' ? genesisTime + 3_600_000 : genesisTime
        const to = Math.ceil(tape.time / intervalMs) * intervalMs
        const oracle = await oracleBars(tape, genesisTime, { interval, from })
        const served = await klines.between(interval, from, to)
        expect(served.map(bar => ({ openTime: bar.openTime, n: bar.tradeCount, ...barText(bar) }))).toEqual(
          oracle.map(bar => ({ openTime: bar.openTime, n: bar.tradeCount, ...numbersOf(bar) })),
        )
        expect(oracle.at(-1)!.live).toBe(true)
        expect(klines.live(interval, to - intervalMs)).toEqual(served.at(-1))
      }
    })
  }
})

test('a late trade of an earlier minute opens or closes the longer bar by its id, not by its minute', async () => {
  const trade = (tradeId: number, price: string, tradeTime: number, eventTime: number) => ({
    tradeId,
    price: `${price}.00000000`,
    quantity: '1.00000000',
    tradeTime: genesisTime + tradeTime,
    eventTime: genesisTime + eventTime,
    buyerIsMaker: true,
  })
  const trades = [trade(1, '10', 60_100, 60_100), trade(2, '11', 60_150, 60_150), trade(3, '12', 59_900, 60_200)]
  const market = createRecordedMarket(new Map([['ETHBTC', trades]]))
  const tape = new Tape(market.histories.get('ETHBTC')!, genesisTime + 400_000)
  const [bar] = await new Klines(tape).between('5m', genesisTime, genesisTime + 300_000)
  const [told] = await oracleBars(tape, genesisTime, { interval: '5m', from: genesisTime })
  expect(barText(bar!)).toMatchObject({ open: '10.00000000', close: '12.00000000' })
  expect(barText(bar!)).toEqual(numbersOf(told!))
})

function numbersOf(bar: Awaited<ReturnType<typeof oracleBars>>[number]) {
  const { open, high, low, close, baseVolume, quoteVolume, takerBuyBaseVolume, takerBuyQuoteVolume } = bar
  return { open, high, low, close, baseVolume, quoteVolume, takerBuyBaseVolume, takerBuyQuoteVolume }
}
