import { parseArgs } from 'node:util'
import {
  applyTrade,
  type Bar,
  DEFAULT_INTERVALS,
  EXCHANGE_SCALES,
  FLAT_RUN_MAX,
  findInterval,
  type Interval,
  isSymbol,
  KNOWN_INTERVALS,
  keptMaxOf,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type SymbolBars,
  type Trade,
} from '@chart/market'
import { type BarFormat, CSV_HEADER, csvRowOf, jsonRowOf, openLineOutput, type TimeUnit } from './bar-output.ts'
import { type Command, type Io, UsageError } from './command.ts'
import { checkReadable, readRecording } from './recording.ts'
import { TradeOrder } from './trade-order.ts'

/** How many trades wait for a lower id that may follow; see TradeOrder. */
const WINDOW_TRADES = 1_000

const USAGE = `usage: chart aggregate FILE… [--interval 1m] [--symbol S] [--format csv|json] [--no-header]
       [--time-unit ms|us] [--skip-malformed]

Turns recorded trades into bars by the rules of the service, without any server. FILE is, compressed with gzip or not:
  raw @trade frames, one a line, bare or in the combined envelope, with or without a receive time before them
  the exchange's archive of trades (CSV: id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch; a header may name
    the columns), times in milliseconds or microseconds
  answers of /api/v3/historicalTrades and /api/v3/trades (JSON arrays)
  - for the standard input
Several files are one recording, in the order given.

  --interval I      one of ${KNOWN_INTERVALS.map(interval => interval.name).join(' ')} (default 1m).
                    JSON takes several: 1m,5m,1h, or all for ${DEFAULT_INTERVALS.join(' ')}
  --symbol S        only this symbol; names the symbol where the input does not (an archive file's name does)
  --format F        csv (default): the columns of the exchange's archive of klines, to compare with diff
                    json: one object a line with every field, trade ids and completeness included
  --no-header       csv without the line of column names, as the archive's files are
  --time-unit U     of the times in csv: ms (default), or us as in the archive's files from 2025 on
  --skip-malformed  exit with status 0 although lines could not be read

Bars come in order of time, each once, with all trades of the input in it; the last one is printed as well (state "live"
in JSON), since a file of a whole day ends with the day's last bar. Times without trades give flat bars, at most
${FLAT_RUN_MAX} in a row: from trades alone a quiet market and a trading halt, for which the exchange has no bars, look alike.

"complete" is true when every trade of the bar is known to be there. What came before the input's first trade is not
known, so a bar counts from the first one that opens after it; only a first trade with id 0 has nothing before it. Ids missing
inside the input make the bars that they may belong to incomplete. Trades out of order are sorted within ${WINDOW_TRADES} trades.

Exit status: 0 done, 1 input missing, damaged, malformed or without trades, 2 asked wrongly.
`

/** Malformed lines that are told one by one; the rest is counted. */
const TOLD_MAX = 5

/** Symbols in one input. The exchange has about 3,000; an input with more is no recording of it. */
const SYMBOLS_MAX = 10_000

interface Options {
  readonly files: readonly string[]
  readonly intervals: readonly Interval[]
  readonly symbol: string | undefined
  readonly format: BarFormat
  readonly header: boolean
  readonly timeUnit: TimeUnit
  readonly skipMalformed: boolean
}

export const aggregate: Command = {
  usage: USAGE,
  run: (args, io) => aggregateFiles(optionsOf(args), io),
}

function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      interval: { type: 'string', default: '1m' },
      symbol: { type: 'string' },
      format: { type: 'string', default: 'csv' },
      'no-header': { type: 'boolean', default: false },
      'time-unit': { type: 'string', default: 'ms' },
      'skip-malformed': { type: 'boolean', default: false },
    },
  })
  const { format, symbol } = values
  if (positionals.length === 0) throw new UsageError('no FILE given; - reads the standard input')
  if (format !== 'csv' && format !== 'json') throw new UsageError(`--format must be csv or json, not "${format}"`)
  const timeUnit = values['time-unit']
  if (timeUnit !== 'ms' && timeUnit !== 'us') throw new UsageError(`--time-unit must be ms or us, not "${timeUnit}"`)
  if (symbol !== undefined && !isSymbol(symbol)) {
    throw new UsageError(`--symbol must look like BTCUSDT (capital letters and digits), not "${symbol}"`)
  }
  const names = values.interval === 'all' ? DEFAULT_INTERVALS : [...new Set(values.interval.split(','))]
  const unknown = names.find(name => findInterval(name) === undefined)
  if (unknown !== undefined) {
    const known = KNOWN_INTERVALS.map(interval => interval.name).join(', ')
    throw new UsageError(`unknown interval "${unknown}"; known are ${known}`)
  }
  if (format === 'csv' && names.length > 1) {
    throw new UsageError('CSV has no column for the interval: give one --interval, or --format json')
  }
  return {
    files: positionals,
    intervals: KNOWN_INTERVALS.filter(interval => names.includes(interval.name)),
    symbol,
    format,
    header: !values['no-header'],
    timeUnit,
    skipMalformed: values['skip-malformed'],
  }
}

async function aggregateFiles(options: Options, io: Io): Promise<number> {
  const output = openLineOutput(io.stdout)
  const rowOf = (bar: Bar) =>
    options.format === 'csv' ? csvRowOf(bar, EXCHANGE_SCALES, options.timeUnit) : jsonRowOf(bar, EXCHANGE_SCALES)
  const tell = (text: string) => io.stderr.write(`chart aggregate: ${text}\n`)
  const folds = new Map<string, SymbolFold>()
  let malformed = 0

  async function print(bars: readonly Bar[]): Promise<void> {
    for (const bar of bars) await output.write(rowOf(bar))
  }

  for (const file of options.files) await checkReadable(file)
  for (const file of options.files) {
    for await (const items of readRecording(file, io.stdin)) {
      for (const item of items) {
        if (item.kind === 'malformed' && ++malformed <= TOLD_MAX) tell(`${file}:${item.line}: ${item.reason}`)
        if (item.kind !== 'trade') continue
        const symbol = item.symbol ?? options.symbol
        if (symbol === undefined) throw new UsageError(`${file}: its trades carry no symbol; name it with --symbol`)
        if (options.symbol !== undefined && symbol !== options.symbol) continue
        let fold = folds.get(symbol)
        if (fold === undefined) {
          const other = folds.keys().next().value
          if (other !== undefined && options.format === 'csv') {
            throw new UsageError(
              `the input holds ${other} and ${symbol}, and CSV has no column for the symbol: give --symbol or --format json`,
            )
          }
          if (folds.size === SYMBOLS_MAX) throw new Error(`the input holds more than ${SYMBOLS_MAX} symbols`)
          if (other === undefined && options.format === 'csv' && options.header) await output.write(CSV_HEADER)
          fold = new SymbolFold(symbol, options.intervals)
          folds.set(symbol, fold)
        }
        const ready = fold.take(item.trade)
        if (ready.length > 0) await print(ready)
      }
      await output.flush()
    }
  }
  for (const fold of folds.values()) await print(fold.end())
  await output.flush()

  let lost = 0
  for (const fold of folds.values()) {
    for (const line of fold.remarks()) tell(line)
    lost += fold.lostTrades
  }
  if (malformed > 0) tell(`${counted(malformed, 'malformed line')} left out`)
  if (folds.size === 0) {
    tell(options.symbol === undefined ? 'the input holds no trades' : `the input holds no trades of ${options.symbol}`)
  }
  return lost > 0 || folds.size === 0 || (malformed > 0 && !options.skipMalformed) ? 1 : 0
}

/** The bars of one symbol of the input. A closed bar is held back as long as a late trade can still change it. */
class SymbolFold {
  readonly #symbol: string
  readonly #intervals: readonly Interval[]
  readonly #order = new TradeOrder(WINDOW_TRADES)
  /** Closed bars by interval, in order of time, newest revision. */
  readonly #held: Map<string, Bar[]>
  #bars: SymbolBars | undefined
  #beyondReach = 0

  constructor(symbol: string, intervals: readonly Interval[]) {
    this.#symbol = symbol
    this.#intervals = intervals
    this.#held = new Map(intervals.map(interval => [interval.name, []]))
  }

  /** Trades of the input that are missing in a bar that was printed. */
  get lostTrades(): number {
    return this.#order.misplaced + this.#beyondReach
  }

  /** Takes one trade and answers the bars that can change no more. */
  take(trade: Trade): Bar[] {
    this.#order.offer(trade)
    return this.#foldReady()
  }

  /** The rest, the live bars included. */
  end(): Bar[] {
    this.#order.end()
    const bars = this.#foldReady()
    const live = this.#bars === undefined ? [] : liveBarsOf(this.#bars)
    for (const [index, held] of [...this.#held.values()].entries()) {
      bars.push(...held)
      const last = live[index]
      if (last !== undefined) bars.push(last)
    }
    return bars
  }

  /** What there is to say about the input, a line each. */
  *remarks(): Generator<string> {
    const { duplicates, firstHole, holes, missing, misplaced } = this.#order
    if (firstHole !== undefined) {
      const { first, last } = firstHole
      yield `${this.#symbol}: ${counted(missing, 'trade id')} missing in ${counted(holes, 'hole')}, the first ${first} to ${last}`
    }
    if (duplicates > 0) yield `${this.#symbol}: ${counted(duplicates, 'duplicate trade')} left out`
    if (misplaced > 0)
      yield `${this.#symbol}: ${counted(misplaced, 'trade')} left out, more than ${WINDOW_TRADES} trades too late`
    if (this.#beyondReach > 0)
      yield `${this.#symbol}: ${counted(this.#beyondReach, 'time')} a trade was too old for its bar, which lacks it`
  }

  #foldReady(): Bar[] {
    const ready: Bar[] = []
    for (let trade = this.#order.next(); trade !== undefined; trade = this.#order.next()) {
      this.#bars ??= newSymbolBars(
        this.#symbol,
        this.#intervals,
        EXCHANGE_SCALES,
        trade.tradeId - 1,
        // Trades before the first may have been matched in the same millisecond, but not later.
        trade.tradeId === 0 ? 0 : trade.tradeTime + 1,
      )
      const changes = newChanges()
      applyTrade(this.#bars, trade, changes)
      this.#beyondReach += changes.beyondReach.length
      if (changes.closed.length > 0) this.#hold(changes.closed, ready)
    }
    return ready
  }

  #hold(closed: readonly Bar[], ready: Bar[]): void {
    for (const bar of closed) {
      const held = this.#held.get(bar.interval)!
      let place = held.length
      while (place > 0 && held[place - 1]!.openTime >= bar.openTime) place--
      held.splice(place, held[place]?.openTime === bar.openTime ? 1 : 0, bar)
    }
    for (const interval of this.#intervals) {
      const held = this.#held.get(interval.name)!
      const surplus = held.length - keptMaxOf(interval)
      if (surplus > 0) ready.push(...held.splice(0, surplus))
    }
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
