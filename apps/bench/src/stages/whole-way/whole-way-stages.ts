import type { Comparison, Variant } from '../../harness/stage.ts'
import { nameOfWay, SYMBOLS, type Way, wholeWayStage } from './whole-way-stage.ts'

const RATES = [1_000, 5_000, 20_000, 50_000]
/** Of the design that does everything for each trade. */
const PER_TRADE_RATES = [1_000, 10_000, 50_000]
const ALL_RATES = [1_000, 10_000]

/** By rate, and ours first. */
const waysOf = (rates: Readonly<Record<Variant['role'], readonly number[]>>): Way[] =>
  [...new Set(Object.values(rates).flat())]
    .sort((a, b) => a - b)
    .flatMap(rate =>
      (['ours', 'floor', 'instead'] as const).filter(role => rates[role].includes(rate)).map(role => ({ role, rate })),
    )

const against = (role: Variant['role'], rate: number): Comparison[] =>
  ['p50Ms', 'cpuUs'].map(figure => ({
    variant: nameOfWay({ role: 'ours', rate }),
    against: nameOfWay({ role, rate }),
    figure,
  }))

const ofQuietMarket = (rate: number): Comparison => ({
  variant: nameOfWay({ role: 'ours', rate }),
  against: nameOfWay({ role: 'ours', rate: 1_000 }),
  figure: 'p50Ms',
})

const JOB = 'from the trade at the socket to the message at a gRPC client, all apps as in production'

export const oneSymbolEachStage = wholeWayStage({
  name: 'whole-way',
  job: `${JOB}; ten clients, each with every trade of one symbol`,
  symbolsPerClient: 1,
  ways: waysOf({ ours: [...RATES, ...PER_TRADE_RATES], floor: RATES, instead: PER_TRADE_RATES }),
  comparisons: [
    ...RATES.flatMap(rate => against('floor', rate)),
    ...PER_TRADE_RATES.flatMap(rate => against('instead', rate)),
    // Six times the latency of a quiet market, at fifty times its trades.
    { ...ofQuietMarket(50_000), atLeast: 1 / 6 },
    ofQuietMarket(20_000),
  ],
})

/** What is told grows with clients times trades, which is where a message for each of them comes to its end. */
export const allSymbolsEachStage = wholeWayStage({
  name: 'whole-way-all',
  job: `${JOB}; ten clients, each with every trade of all ten symbols`,
  symbolsPerClient: SYMBOLS,
  ways: waysOf({ ours: ALL_RATES, floor: [], instead: ALL_RATES }),
  comparisons: [
    ...against('instead', 1_000),
    ...against('instead', 10_000).map(one => (one.figure === 'p50Ms' ? { ...one, atLeast: 20 } : one)),
  ],
})
