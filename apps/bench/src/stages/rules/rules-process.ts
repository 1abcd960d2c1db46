import { answerParent } from '../../harness/bench-process.ts'
import { generatedTrades, type TradeRow } from '../../harness/generated-trades.ts'
import type { Sample } from '../../harness/stage.ts'
import { startStopwatch } from '../../harness/stopwatch.ts'
import type { Bars, Way } from './bars-as-text.ts'
import { doubles, typedArrays } from './double-ways.ts'
import { allSevenEachTrade, ours, oursMinutes, oursPacked } from './exact-ways.ts'
import { ccxtWay, decimalWay, tardisWay } from './peer-ways.ts'
import { differencesOf, referenceBars } from './reference-bars.ts'

/** Makes bars in one way, in a process of its own: what V8 has learnt of one way is no help and no hindrance to another. */

const WAYS: Readonly<Record<string, () => Way>> = {
  ours: () => ours,
  'ours, packed': () => oursPacked,
  'ours, 1m only': () => oursMinutes,
  'all seven a trade': () => allSevenEachTrade,
  doubles: () => doubles,
  'typed arrays': () => typedArrays,
  'tardis-dev': tardisWay,
  ccxt: ccxtWay,
  'decimal.js': decimalWay,
}

/** Of the first trades the bars are compared with the reference: a third of an hour, and all seven intervals end in it. */
const CHECKED_TRADES = 200_000

/** Read before anything is measured: V8 goes on compiling the rules for so long, and a small run would measure that. */
const WARM_TRADES = 1_500_000

/** A run of a million trades lasts at least so long, however fast the way is: in a quarter of that, whatever else the machine does decides. */
const RUN_MS_A_MILLION = 1_000

/** How bars differ from the reference. */
export interface Checked {
  readonly bars: number
  readonly wrong: number
  /** Bars of the intervals that the way has which it did not make. */
  readonly absent: number
}

let rows: readonly TradeRow[] = []
let run: () => Bars = () => () => []
/** The last run's bars, kept so that no run is for nothing. */
const last: { bars?: Bars } = {}

answerParent({
  open: ({ way: name, trades }: { way: string; trades: number }): Checked => {
    const way = WAYS[name]!()
    rows = parsedRows(trades)
    const checkedRows = rows.slice(0, CHECKED_TRADES)
    const bars = way(checkedRows, true)()()
    const intervals = [...new Set(bars.map(({ interval }) => interval))]
    run = way(rows, false)
    for (let read = 0; read < WARM_TRADES; read += rows.length) last.bars = run()
    return { bars: bars.length, ...differencesOf(bars, referenceBars(checkedRows, intervals)) }
  },
  run: (): Sample => {
    const rates = startStopwatch()
    const until = performance.now() + (RUN_MS_A_MILLION * rows.length) / 1_000_000
    let read = 0
    do {
      last.bars = run()
      read += rows.length
    } while (performance.now() < until)
    return { ...rates(read) }
  },
})

/** Rows whose texts lie in memory as JSON.parse leaves them; a text that was put together is slow at its first use. */
function parsedRows(count: number): TradeRow[] {
  const parsed: TradeRow[] = []
  for (const row of generatedTrades(count)) parsed.push(JSON.parse(JSON.stringify(row)))
  return parsed
}
