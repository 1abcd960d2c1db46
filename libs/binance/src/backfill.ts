import type { Trade } from '@chart/market'
import type { Log } from './log.ts'
import { type ExchangeRest, ROWS_MAX } from './rest.ts'
import { retrying } from './retrying.ts'
import { wait } from './wait.ts'

/** Trades with consecutive ids; those of all pages follow on without a jump, except where a hole is named. */
export interface TradePage {
  readonly trades: readonly Trade[]
  /**
   * The exchange has no trades from the id that came next up to this one, exclusive. It stands before `trades`, whose first id it
   * is; `trades` is empty when the hole reaches to the end of what the exchange answered.
   */
  readonly holeUpTo?: number
}

export interface TradesFromOptions {
  signal: AbortSignal
  /** The last id that is wanted. Later ones come along when they are in the same answer. */
  untilId?: number
  log?: Log
  /** Pause before a hole is believed, see HOLE_CONFIRM_MS. */
  holeConfirmMs?: number
  random?: () => number
}

/**
 * Ids have never been seen to jump on spot, so a hole is nearly always something else, such as a server behind a load balancer
 * that has not caught up. A trade that is called missing is lost for good: the exchange is asked twice, this far apart.
 */
const HOLE_CONFIRM_MS = 1_000

/**
 * The trades of `symbol` from `fromId` on, in id order, until `untilId` was passed or the exchange has no more for now (a caller
 * that knows of later ones asks again a little later). Retries for as long as the signal allows; never skips an id silently.
 * @throws RestError that retrying cannot cure; the signal's reason when it is aborted
 */
export async function* tradesFrom(
  rest: Pick<ExchangeRest, 'tradeRows'>,
  symbol: string,
  fromId: number,
  options: TradesFromOptions,
): AsyncGenerator<TradePage, void, undefined> {
  const { signal, untilId = Number.POSITIVE_INFINITY, holeConfirmMs = HOLE_CONFIRM_MS } = options
  let nextId = fromId
  /** The end of a hole at nextId that was answered once. */
  let suspectedUpTo: number | undefined
  while (nextId <= untilId) {
    const page = await retrying(() => rest.tradeRows(symbol, nextId, ROWS_MAX, signal), options)
    const run = firstRun(page.trades)
    const runStart = run[0]?.tradeId ?? (page.lastRowId ?? nextId - 1) + 1
    if (runStart > nextId && runStart !== suspectedUpTo) {
      suspectedUpTo = runStart
      await wait(holeConfirmMs, signal)
      continue
    }
    suspectedUpTo = undefined
    if (runStart > nextId) yield { trades: run, holeUpTo: runStart }
    else if (run.length > 0) yield { trades: run }
    nextId = runStart + run.length
    const sawAllRows = page.lastRowId === undefined || nextId > page.lastRowId
    if (sawAllRows && page.rowCount < ROWS_MAX) return
  }
}

/** The trades before the first jump of ids. */
function firstRun(trades: readonly Trade[]): readonly Trade[] {
  const jump = trades.findIndex((trade, index) => index > 0 && trade.tradeId !== trades[index - 1]!.tradeId + 1)
  return jump < 0 ? trades : trades.slice(0, jump)
}
