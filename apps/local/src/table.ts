import {
  type Cell,
  type Column,
  fittingLines,
  lineText,
  type Paint,
  SPARKLINE_VALUES,
  type StyledLine,
  type StyledText,
  shortDecimal,
  sparkline,
  type Tone,
  tableLines,
  toneOfChange,
  toneOfFeed,
} from '@chart/terminal'
import type { Input } from './input.ts'
import type { ProcessState, ProcessView } from './managed-process.ts'
import type { Addresses, LiveBarView, Snapshot, SymbolView } from './snapshot.ts'

export type TableSize = { readonly columns: number; readonly rows: number }

/**
 * The terminal's picture of a snapshot: lines no longer than `columns`, at most `rows` of them. Where there is no room for all, processes
 * that are ready are a number, and then symbols are: what is not as it should be is always seen.
 */
export function renderTable(snapshot: Snapshot, { columns, rows }: TableSize, paint: Paint): string[] {
  const top: StyledLine[] = [
    [bannerOf(snapshot.input)],
    [],
    ...addressLines(snapshot.addresses, rowsText(snapshot.rows)).map(text => [{ text }]),
    [],
  ]
  const symbols = tableLines(symbolColumns, snapshot.symbols.map(symbolCells), columns)
  const bottomWith = (processes: readonly StyledLine[]): StyledLine[] => [
    [],
    ...processes,
    ...snapshot.faults.map(text => [{ text, tone: 'warning' } as const]),
    [],
    [{ text: `${timeOfDay(snapshot.takenTime)} UTC   Ctrl-C ends everything`, tone: 'faint' }],
  ]
  const whole = bottomWith(processLines(snapshot.processes, columns))
  const hasRoom = top.length + symbols.length + whole.length <= rows
  const bottom = hasRoom ? whole : bottomWith(troubleLines(snapshot.processes))
  const lines = [...top, ...fittingLines(symbols, rows - top.length - bottom.length), ...bottom]
  return lines.slice(0, rows).map(line => lineText(line, columns, paint))
}

/** Where everything is, the page first. */
export function addressLines(addresses: Addresses, rows = ''): string[] {
  const { chart, grpc, redis, postgres, watch, notes = [] } = addresses
  const lines = [
    ['Chart', chart],
    ['gRPC', `${grpc}   watch it:  ${watch}`],
    ...notes.map(note => ['', note]),
    ['Redis', redis],
    ['PostgreSQL', [postgres, rows].filter(text => text !== '').join('   ')],
  ]
  return lines.map(([name, text]) => `${name!.padEnd(10)}  ${text}`)
}

/** One line for where nobody watches: a file, a pipe, the log of a build. */
export function renderLine(snapshot: Snapshot, paint: Paint): string {
  const ready = snapshot.processes.filter(({ state }) => state === 'ready').length
  const symbols = snapshot.symbols.map(view => {
    const close = paint(closeTone(view.bar), shortDecimal(view.bar?.close ?? '-'))
    const feed = paint(toneOfFeed(view.feedState), view.feedState ?? 'no feed')
    return `${view.symbol} ${close} (${rateText(view.tradesPerSecond)}/s, ${view.bar?.tradeCount ?? 0} trades, ${feed})`
  })
  const troubled = snapshot.processes.filter(({ state }) => state !== 'ready').map(describeTrouble)
  return [
    new Date(snapshot.takenTime).toISOString(),
    snapshot.input.mode === 'live' ? 'LIVE' : 'SIMULATED',
    symbols.join('  '),
    rowsText(snapshot.rows),
    `${ready}/${snapshot.processes.length} processes ready`,
    ...troubled,
    ...snapshot.faults,
  ].join('  ')
}

/** What must be plain at any moment: whether these are the exchange's prices. */
export function bannerOf(input: Input): StyledText {
  if (input.mode === 'live') return { text: ' LIVE: trades from Binance ', tone: 'calm' }
  return { text: ` SIMULATED: invented trades, not a market. Binance is not used: ${input.reason} `, tone: 'alarm' }
}

const symbolColumns: readonly Column[] = [
  { head: 'symbol' },
  { head: '1m bar', align: 'right', leaveOut: 7 },
  { head: 'open', align: 'right', leaveOut: 6 },
  { head: 'high', align: 'right', leaveOut: 5 },
  { head: 'low', align: 'right', leaveOut: 5 },
  { head: 'close', align: 'right' },
  // As wide as it will be: half an hour long the columns behind it would wander.
  { head: 'last 1m closes'.padEnd(SPARKLINE_VALUES), leaveOut: 3 },
  { head: 'volume', align: 'right', leaveOut: 8 },
  { head: 'trades', align: 'right', leaveOut: 4 },
  { head: 'trades/s', align: 'right', leaveOut: 2 },
  { head: 'feed', leaveOut: 1 },
  { head: 'newest row', align: 'right', leaveOut: 9 },
]

function symbolCells({ symbol, bar, closes, tradesPerSecond, feedState, newestRowTime }: SymbolView): Cell[] {
  return [
    symbol,
    bar === undefined ? '-' : timeOfDay(bar.openTime),
    shortDecimal(bar?.open ?? '-'),
    shortDecimal(bar?.high ?? '-'),
    shortDecimal(bar?.low ?? '-'),
    { text: shortDecimal(bar?.close ?? '-'), tone: closeTone(bar) },
    courseOf(closes ?? [], bar),
    shortDecimal(bar?.baseVolume ?? '-'),
    bar === undefined ? '-' : String(bar.tradeCount),
    rateText(tradesPerSecond),
    { text: feedState ?? '-', tone: toneOfFeed(feedState) },
    newestRowTime === undefined ? '-' : timeOfDay(newestRowTime),
  ]
}

/** Green above the bar's open, red below. */
function closeTone(bar: LiveBarView | undefined): Tone {
  return bar === undefined ? 'plain' : toneOfChange(Number(bar.close), Number(bar.open))
}

/** The stored closes, and the live one behind them. */
function courseOf(closes: readonly string[], bar: LiveBarView | undefined): string {
  const all = bar === undefined ? closes : [...closes, bar.close]
  return sparkline(all.slice(-SPARKLINE_VALUES).map(Number))
}

const processColumns: readonly Column[] = [
  { head: 'process' },
  { head: 'pid', align: 'right', leaveOut: 1 },
  { head: 'state' },
  { head: 'restarts', align: 'right', leaveOut: 2 },
]

/** Why a process is not ready stands behind its row, and is cut where there is no room. */
function processLines(processes: readonly ProcessView[], columns: number): StyledLine[] {
  const [head, ...rows] = tableLines(processColumns, processes.map(processCells), columns)
  const withNote = (row: StyledLine, note: string | undefined) =>
    note === undefined ? row : [...row, { text: `  ${note}` }]
  return [head!, ...rows.map((row, index) => withNote(row, processes[index]!.note))]
}

/** How many processes are ready, and those that are not. */
function troubleLines(processes: readonly ProcessView[]): StyledLine[] {
  const troubled = processes.filter(({ state }) => state !== 'ready')
  return [
    [{ text: `${processes.length - troubled.length} of ${processes.length} processes ready` }],
    ...troubled.map((process): StyledLine => [{ text: describeTrouble(process), tone: stateTones[process.state] }]),
  ]
}

function processCells({ name, pid, state, restarts }: ProcessView): Cell[] {
  return [name, pid === undefined ? '-' : String(pid), { text: state, tone: stateTones[state] }, String(restarts)]
}

const stateTones: Readonly<Record<ProcessState, Tone>> = {
  starting: 'plain',
  ready: 'good',
  unready: 'warning',
  waiting: 'bad',
  stopping: 'plain',
  stopped: 'plain',
}

function describeTrouble({ name, state, note }: ProcessView): string {
  return `${name} ${state}${note === undefined ? '' : ` (${note})`}`
}

function rowsText(rows: number | undefined): string {
  return rows === undefined ? 'rows not counted yet' : `${rows} bars written`
}

function rateText(tradesPerSecond: number | undefined): string {
  return tradesPerSecond === undefined ? '-' : tradesPerSecond.toFixed(1)
}

function timeOfDay(time: number): string {
  return new Date(time).toISOString().slice(11, 19)
}
