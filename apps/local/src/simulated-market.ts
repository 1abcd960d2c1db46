import { randomInt } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What the simulator's market is a function of. Kept beside the data that were made from it, in `market.json`: the next
 * start then goes on with the same trades, ids and prices, and fills the time in between as the exchange would.
 */
export type SimulatedMarket = {
  readonly seed: number
  /** The market's first moment, a whole minute. */
  readonly genesisTime: number
  /** Of all symbols of the first start together. */
  readonly tradesPerSecond: number
  /** Of each symbol that was ever served. Each has its own, so that another list of symbols changes no symbol's trades. */
  readonly rates: Readonly<Record<string, number>>
  /** Further variables of the simulator that shape the market, as they were set. */
  readonly settings: Readonly<Record<string, string>>
}

/** What this start asks for; absent: whatever the market has. */
export type WantedMarket = {
  readonly symbols: readonly string[]
  readonly seed?: number
  readonly tradesPerSecond?: number
  /** How long a new market is said to have traded already, so that its charts begin full. */
  readonly pastMinutes?: number
  readonly marketSettings?: Readonly<Record<string, string>>
}

const minuteMs = 60_000
const usualTradesPerSecond = 30
/** The simulator makes bars of the past out of their trades: so many cost it some seconds. */
const pastTradesMax = 2_000_000

/** The market of the data in `dir`, or a new one when there are none. */
export async function openMarket(dir: string, wanted: WantedMarket, now = Date.now()): Promise<SimulatedMarket> {
  const file = join(dir, 'market.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  const known = text === undefined ? undefined : parseMarket(text, file)
  if (known !== undefined) refuseAnother(known, wanted, dir)

  const { tradesPerSecond = usualTradesPerSecond, pastMinutes = 0 } = wanted
  const past = Math.min(pastMinutes, Math.floor(pastTradesMax / (tradesPerSecond * 60)))
  const begun = known ?? {
    seed: wanted.seed ?? randomInt(2 ** 32 - 1),
    genesisTime: (Math.floor(now / minuteMs) - past) * minuteMs,
    tradesPerSecond,
    rates: {},
    settings: wanted.marketSettings ?? {},
  }
  const market = { ...begun, rates: { ...sharesOf(wanted.symbols, begun.tradesPerSecond), ...begun.rates } }
  await mkdir(dir, { recursive: true })
  await writeFile(`${file}.unfinished`, `${JSON.stringify(market, undefined, 2)}\n`)
  await rename(`${file}.unfinished`, file)
  return market
}

/** The first symbol trades the most, the n-th 1/√n as often: about as it is on the exchange. */
function sharesOf(symbols: readonly string[], tradesPerSecond: number): Record<string, number> {
  const weights = symbols.map((_, index) => 1 / Math.sqrt(index + 1))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const rateOf = (weight: number) => Number(((tradesPerSecond * weight) / sum).toFixed(4))
  return Object.fromEntries(symbols.map((symbol, index) => [symbol, rateOf(weights[index]!)]))
}

/** Another value of any of these is another market, whose trade ids mean other trades. */
function refuseAnother(market: SimulatedMarket, wanted: WantedMarket, dir: string): void {
  const differences: string[] = []
  if (wanted.seed !== undefined && wanted.seed !== market.seed) differences.push(`SEED=${market.seed}`)
  if (wanted.tradesPerSecond !== undefined && wanted.tradesPerSecond !== market.tradesPerSecond) {
    differences.push(`TRADES_PER_SECOND=${market.tradesPerSecond}`)
  }
  const { marketSettings = {} } = wanted
  for (const name of new Set([...Object.keys(market.settings), ...Object.keys(marketSettings)])) {
    const value = market.settings[name]
    if (value !== marketSettings[name]) differences.push(value === undefined ? `no ${name}` : `${name}=${value}`)
  }
  if (differences.length === 0) return
  throw new Error(
    `the simulated market in ${dir} was begun with ${differences.join(' and ')}: set that, or begin another by removing ${dir} or setting DATA_DIR`,
  )
}

function parseMarket(text: string, file: string): SimulatedMarket {
  try {
    const value = JSON.parse(text) as Partial<SimulatedMarket>
    const { seed, genesisTime, tradesPerSecond, rates, settings } = value
    const areNumbers = [seed, genesisTime, tradesPerSecond].every(number => Number.isFinite(number))
    if (areNumbers && [rates, settings].every(part => typeof part === 'object' && part !== null)) {
      return value as SimulatedMarket
    }
  } catch {
    // Said below.
  }
  throw new Error(`${file} cannot be read as a market: remove the folder it is in to begin another`)
}
