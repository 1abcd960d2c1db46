import { parseArgs } from 'node:util'

/**
 * What is done to the service while it runs.
 *
 * mixed            a fault of any kind every two seconds
 * takeover         the leading ingestor or an aggregator is killed every four seconds
 * postgres-outage  PostgreSQL is away all the time
 * calm             nothing, to see what pauses the load itself has
 */
export type Scenario = 'mixed' | 'takeover' | 'postgres-outage' | 'calm'

export interface ChaosOptions {
  readonly scenario: Scenario
  readonly minutes: number
  /** Trades a second, of all symbols together. */
  readonly rate: number
  readonly symbols: readonly string[]
  readonly intervals: readonly string[]
  readonly ingestors: number
  readonly aggregators: number
  readonly persisters: number
  readonly edges: number
  /** Decides market and faults. */
  readonly seed: number
  readonly json: boolean
  /** Where the processes' output is kept. */
  readonly logDir: string
}

export const SCENARIOS: readonly Scenario[] = ['mixed', 'takeover', 'postgres-outage', 'calm']

/** Seconds close every second, so that a run of minutes sees thousands of closings; the longer ones are made of them. */
const INTERVALS = ['1s', '1m', '5m']

/** Options from the command line; throws an Error that names what is wrong. */
export function readOptions(args: readonly string[], defaults: { seed: number; logDir: string }): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: 'mixed' },
      minutes: { type: 'string', default: '5' },
      rate: { type: 'string', default: '5000' },
      symbols: { type: 'string', default: '50' },
      ingestors: { type: 'string', default: '3' },
      aggregators: { type: 'string', default: '3' },
      persisters: { type: 'string', default: '2' },
      edges: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(defaults.seed) },
      logs: { type: 'string', default: defaults.logDir },
      json: { type: 'boolean', default: false },
    },
  })
  const scenario = SCENARIOS.find(name => name === values.scenario)
  if (scenario === undefined) throw new Error(`--scenario ${values.scenario}: wanted one of ${SCENARIOS.join(', ')}`)
  return {
    scenario,
    minutes: positive('minutes', values.minutes),
    rate: positive('rate', values.rate),
    symbols: symbolNames(count('symbols', values.symbols, 200)),
    intervals: INTERVALS,
    ingestors: count('ingestors', values.ingestors, 10),
    aggregators: count('aggregators', values.aggregators, 10),
    persisters: count('persisters', values.persisters, 10),
    edges: count('edges', values.edges, 10),
    seed: count('seed', values.seed, 2 ** 32 - 1, 0),
    json: values.json,
    logDir: values.logs,
  }
}

/** `S01USDT`, `S02USDT`, …: any name is a symbol of the simulator's. */
export function symbolNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `S${String(index + 1).padStart(2, '0')}USDT`)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`--${name} ${text}: wanted a number above 0`)
}

function count(name: string, text: string, max: number, min = 1): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`--${name} ${text}: wanted a whole number from ${min} to ${max}`)
}
