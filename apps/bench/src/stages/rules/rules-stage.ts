import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import { byCpu } from '../../harness/by-cpu.ts'
import type { OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import { installPeers } from './peers.ts'
import type { Checked } from './rules-process.ts'

/** Of a whole run: about a second of the slower ways. */
const TRADES = 1_000_000

const VARIANTS: readonly (Variant & { readonly exact: boolean })[] = [
  { name: 'ours', role: 'ours', exact: true },
  { name: 'ours, packed', role: 'ours', exact: true },
  { name: 'ours, 1m only', role: 'ours', exact: true },
  { name: 'doubles', role: 'floor', exact: false },
  { name: 'typed arrays', role: 'floor', exact: false },
  { name: 'all seven a trade', role: 'instead', exact: true },
  { name: 'tardis-dev', role: 'instead', exact: false },
  { name: 'ccxt', role: 'instead', exact: false },
  { name: 'decimal.js', role: 'instead', exact: true },
]

/**
 * Trades as text to bars of seven intervals. All ways get the same text; those that are not ours make 1m bars alone. Bars that a way makes
 * are compared with a reference once, before anything is measured: a way that must be exact and is not ends the run.
 */
export const rulesStage: Stage = {
  name: 'rules',
  job: 'trades, as text, to bars of seven intervals, exact',
  figures: [
    { name: 'perSecond', unit: 'trades/s', better: 'more' },
    { name: 'perCpuSecond', unit: 'trades/CPU-s', better: 'more' },
    { name: 'wrongBars', unit: 'wrong bars', better: 'less' },
    { name: 'checkedBars', unit: 'of', better: 'more' },
  ],
  variants: VARIANTS.map(({ name, role }) => ({ name, role })),
  comparisons: [
    byCpu('ours', 'doubles', 0.55),
    byCpu('ours', 'typed arrays'),
    byCpu('ours', 'tardis-dev', 1.2),
    byCpu('ours', 'ccxt', 2),
    byCpu('ours', 'decimal.js', 5),
    byCpu('ours', 'all seven a trade'),
    byCpu('ours', 'ours, 1m only', 0.85),
    byCpu('ours, packed', 'doubles'),
  ],
  async open(size) {
    installPeers()
    const ways = new OpenWays(Math.round(TRADES * size))
    try {
      for (const { name, exact } of VARIANTS) await ways.open(name, exact)
    } catch (error) {
      await ways[Symbol.asyncDispose]()
      throw error
    }
    return ways
  },
}

class OpenWays implements OpenStage {
  readonly #trades: number
  readonly #ways = new Map<string, { readonly process: BenchProcess; checked: Checked | undefined }>()

  constructor(trades: number) {
    this.#trades = trades
  }

  /** @throws Error when it has to be exact and is not */
  async open(name: string, exact: boolean): Promise<void> {
    const way = {
      process: startProcess(new URL('rules-process.ts', import.meta.url)),
      checked: undefined as Checked | undefined,
    }
    this.#ways.set(name, way)
    way.checked = await way.process.ask<Checked>('open', { way: name, trades: this.#trades })
    const { bars, wrong, absent } = way.checked
    if (exact && (bars === 0 || wrong + absent > 0)) {
      throw new Error(`rules: ${name} made ${bars} bars, of which ${wrong} are wrong, and left out ${absent}`)
    }
  }

  async run(name: string): Promise<Sample> {
    const { process, checked } = this.#ways.get(name)!
    const rates = await process.ask<Sample>('run')
    return { ...rates, wrongBars: checked!.wrong, checkedBars: checked!.bars }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#ways.values()) await process[Symbol.asyncDispose]()
  }
}
