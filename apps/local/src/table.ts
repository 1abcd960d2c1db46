import type { Input } from './input.ts'
import type { ProcessView } from './managed-process.ts'
import type { Snapshot, SymbolView } from './snapshot.ts'

export type TableSize = { readonly columns: number; readonly rows: number; readonly color: boolean }

/** The terminal's picture of a snapshot: lines no longer than `columns`, at most `rows` of them. */
export function renderTable(snapshot: Snapshot, size: TableSize): string[] {
  const lines: Line[] = [
    bannerOf(snapshot.input),
    plain(''),
    plain(`gRPC        ${snapshot.addresses.grpc}   watch it:  ${snapshot.addresses.watch}`),
    ...(snapshot.addresses.note === undefined ? [] : [plain(`            ${snapshot.addresses.note}`)]),
    plain(`Redis       ${snapshot.addresses.redis}`),
    plain(`PostgreSQL  ${snapshot.addresses.postgres}   ${rowsText(snapshot.rows)}`),
    plain(''),
    ...table(symbolHeads, snapshot.symbols.map(symbolCells)),
    plain(''),
    ...table(processHeads, snapshot.processes.map(processCells), processTones(snapshot.processes)),
    ...snapshot.faults.map(fault => ({ text: fault, tone: 'warning' }) as const),
    plain(''),
    { text: `${timeOfDay(snapshot.takenTime)} UTC   Ctrl-C ends everything`, tone: 'faint' },
  ]
  return lines.slice(0, size.rows).map(line => paint({ ...line, text: line.text.slice(0, size.columns) }, size.color))
}

/** One line for where nobody watches: a file, a pipe, the log of a build. */
export function renderLine(snapshot: Snapshot): string {
  const ready = snapshot.processes.filter(({ state }) => state === 'ready').length
  const symbols = snapshot.symbols.map(view => {
    const close = shortDecimal(view.bar?.close ?? '-')
    return `${view.symbol} ${close} (${rateText(view.tradesPerSecond)}/s, ${view.bar?.tradeCount ?? 0} trades, ${view.feedState ?? 'no feed'})`
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
export function bannerOf(input: Input): Line {
  if (input.mode === 'live') return { text: ' LIVE: trades from Binance ', tone: 'good' }
  return { text: ` SIMULATED: invented trades, not a market. Binance is not used: ${input.reason} `, tone: 'alarm' }
}

type Tone = 'plain' | 'faint' | 'good' | 'warning' | 'alarm'
type Line = { readonly text: string; readonly tone: Tone }

const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  faint: '2',
  good: '1;30;42',
  warning: '33',
  alarm: '1;30;43',
}

function paint({ text, tone }: Line, color: boolean): string {
  return color && tone !== 'plain' ? `\x1b[${codes[tone]}m${text}\x1b[0m` : text
}

function plain(text: string): Line {
  return { text, tone: 'plain' }
}

const symbolHeads = [
  'symbol',
  '>1m bar',
  '>open',
  '>high',
  '>low',
  '>close',
  '>volume',
  '>trades',
  '>trades/s',
  'feed',
  '>newest row',
]

function symbolCells({ symbol, bar, tradesPerSecond, feedState, newestRowTime }: SymbolView): string[] {
  const prices =
    bar === undefined ? ['-', '-', '-', '-', '-'] : [bar.open, bar.high, bar.low, bar.close, bar.baseVolume]
  return [
    symbol,
    bar === undefined ? '-' : timeOfDay(bar.openTime),
    ...prices.map(shortDecimal),
    bar === undefined ? '-' : String(bar.tradeCount),
    rateText(tradesPerSecond),
    feedState ?? '-',
    newestRowTime === undefined ? '-' : timeOfDay(newestRowTime),
  ]
}

const processHeads = ['process', '>pid', 'state', '>restarts', '']

function processCells({ name, pid, state, restarts, note }: ProcessView): string[] {
  return [name, pid === undefined ? '-' : String(pid), state, String(restarts), note ?? '']
}

function processTones(processes: readonly ProcessView[]): Tone[] {
  return processes.map(({ state }) => (state === 'waiting' || state === 'unready' ? 'warning' : 'plain'))
}

function describeTrouble({ name, state, note }: ProcessView): string {
  return `${name} ${state}${note === undefined ? '' : ` (${note})`}`
}

/** Columns as wide as their widest cell; a head that begins with `>` puts its column to the right. */
function table(heads: readonly string[], rows: readonly (readonly string[])[], tones: readonly Tone[] = []): Line[] {
  const names = heads.map(head => head.replace(/^>/, ''))
  const widths = names.map((name, column) => Math.max(name.length, ...rows.map(row => row[column]!.length)))
  const toLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        heads[column]!.startsWith('>') ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  return [
    { text: toLine(names), tone: 'faint' },
    ...rows.map((row, index): Line => ({ text: toLine(row), tone: tones[index] ?? 'plain' })),
  ]
}

/** `60123.10000000` → `60123.10`: zeros beyond the second place say nothing to people. */
export function shortDecimal(text: string): string {
  return text.replace(/(\.\d\d\d*?)0+$/, '$1')
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
