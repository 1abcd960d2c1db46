import { type ExchangeRest, retrying } from '@chart/binance'
import type { Scales } from '@chart/market'
import { type AppendBlock, appendEntry, type Claim, type LogSeed, type RedisCommands } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { FirstBars } from './first-bars.ts'
import type { NewestTrade, NewestTrades } from './newest-trades.ts'
import type { StoredStart } from './stored-start.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** A symbol that never had a trade is asked for again this often. */
const NO_TRADE_RETRY_MS = 5_000
/** How often stored bars that cannot be read are asked for again. */
const STORED_RETRY_MS = 1_000
/** A log begins without the stored bars when they cannot be read for this long: live bars are worth more than whole ones. */
const STORED_PATIENCE_MS = 60_000
/**
 * Trades fetched to go on from the stored bars, at most: 100 requests of weight 25, half of a minute's budget. After a longer absence the
 * log begins anew, and the bars in between are the auditor's to put in.
 */
const FETCHED_TRADES_MAX = 100_000

/** How often a symbol that begins at its newest trade looks whether the feed is heard. */
const HEARD_LOOK_MS = 100
/** Clocks of the exchange's machines may differ: a log is said to be whole from so much later on. */
const CLOCK_MARGIN_MS = 1_000

const MINUTE_MS = 60_000
const SECOND_MS = 1_000

/** Where the stored bars of a symbol end. Without history, or before the first bar: undefined. */
export type ReadStoredStart = (symbol: string, scales: Scales) => Promise<StoredStart | undefined>

export interface SeedOptions {
  readonly rest: ExchangeRest
  readonly newestTrades: NewestTrades
  readonly firstBars: FirstBars
  readonly redis: RedisCommands
  readonly readStoredStart?: ReadStoredStart | undefined
  readonly claim: Claim
  readonly log: Log
  readonly signal: AbortSignal
}

interface LogStart {
  /** The log goes on from here. */
  readonly lastTradeId: number
  /** No trade at or after this time has an id at or below lastTradeId. */
  readonly sinceTime: number
  readonly after: 'the stored bars' | 'the present minute' | 'the newest trade'
}

/**
 * Begins a symbol's log. After the bars that are stored, when Redis has lost what came of them: nothing is missing then, and an hour or
 * a day that had begun ends complete. At the very first start at the first trade of the minute that the exchange is in, so that the first
 * 1m bar is whole; larger bars that have begun before are incomplete until their next one. Of so many symbols that this would take
 * minutes, the most traded have a whole first bar, and the others begin at their newest trade: they are live at once.
 * @throws FencedError when another has claimed the partition; whatever Redis or the exchange fail with
 */
export async function seedSymbol(feed: SymbolFeed, options: SeedOptions): Promise<void> {
  const { redis, claim, log, signal } = options
  const { symbol } = feed
  for (;;) {
    const start = await startOf(feed, options)
    if (start !== undefined) {
      const { after, ...seed } = start
      const answer = await appendEntry(redis, claim, [seedBlockOf(feed, { ...seed, scales: feed.scales })])
      const head = answer.kind === 'appended' ? start.lastTradeId : answer.heads.get(symbol)
      if (head !== undefined) {
        const { lastTradeId, sinceTime } = start
        if (answer.kind === 'appended') log.info({ symbol, lastTradeId, sinceTime, after }, 'trade log begun')
        feed.alignTo(head)
        return
      }
    }
    await delay(NO_TRADE_RETRY_MS, signal)
    signal.throwIfAborted()
  }
}

/** Undefined when the symbol never had a trade. */
async function startOf(feed: SymbolFeed, options: SeedOptions): Promise<LogStart | undefined> {
  const { rest, newestTrades, firstBars, log, signal } = options
  const newest = await newestTrades.ask(feed)
  signal.throwIfAborted()
  if (newest.tradeId === undefined) return undefined
  const stored = await storedStartOf(feed, newest.tradeId, options)
  if (stored !== undefined) return { ...stored, after: 'the stored bars' }
  if (!firstBars.take(newest.tradeCount, newest.tradeCounts)) return newestStartOf(feed, options)
  return retrying(() => presentMinuteOf(rest, feed.symbol, newest), { signal, log })
}

function seedBlockOf({ symbol, scales, state }: SymbolFeed, seed: LogSeed): AppendBlock {
  return {
    symbol,
    expectedTradeId: undefined,
    seed,
    trades: [],
    scales,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: state,
  }
}

/** Waits for PostgreSQL for a while; a log that begins at the present minute leaves a gap in the history. */
async function storedStartOf(
  { symbol, scales }: SymbolFeed,
  newestTradeId: number,
  { readStoredStart, log, signal }: SeedOptions,
): Promise<StoredStart | undefined> {
  if (readStoredStart === undefined) return undefined
  const deadline = performance.now() + STORED_PATIENCE_MS
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      const stored = await readStoredStart(symbol, scales)
      if (stored === undefined || newestTradeId - stored.lastTradeId <= FETCHED_TRADES_MAX) return stored
      log.warn({ symbol, trades: newestTradeId - stored.lastTradeId }, 'too long ago to go on from the stored bars')
      return undefined
    } catch (error) {
      const reason = (error as Error).message
      if (attempt === 1) log.warn({ symbol, reason }, 'stored bars cannot be read; the trade log waits for them')
      if (performance.now() >= deadline) {
        log.error({ symbol, reason }, 'the trade log begins without the stored bars; the time in between is missing')
        return undefined
      }
      await delay(STORED_RETRY_MS, signal)
    }
  }
}

/**
 * The last trade before the minute in which the newest was asked for. However late this is asked, nothing is missing: trades since then
 * are fetched by id.
 */
async function presentMinuteOf(
  rest: ExchangeRest,
  symbol: string,
  { askedTime }: NewestTrade,
): Promise<LogStart | undefined> {
  const sinceTime = askedTime - (askedTime % MINUTE_MS)
  const firstTradeIdSince = () => rest.firstTradeIdSince(symbol, sinceTime)
  let first = await firstTradeIdSince()
  let newestTradeId: number | undefined
  if (first === undefined) {
    // Both from the list of trades, in this order: a trade after the newest was asked for is found then. A statistic may be
    // ahead of that list, and its newest trade would be taken for one of before the minute.
    newestTradeId = await rest.latestTradeId(symbol)
    first = await firstTradeIdSince()
  }
  const lastTradeId = first === undefined ? newestTradeId : first - 1
  return lastTradeId === undefined ? undefined : { lastTradeId, sinceTime, after: 'the present minute' }
}

/**
 * The newest trade. It is asked for once the feed is heard, so that every later one comes from there and none has to be fetched. An id
 * that is too low would do no harm: the log begins earlier, and what follows is fetched by id.
 */
async function newestStartOf(feed: SymbolFeed, { newestTrades, signal }: SeedOptions): Promise<LogStart | undefined> {
  while (!feed.heard) {
    await delay(HEARD_LOOK_MS, signal)
    signal.throwIfAborted()
  }
  const { tradeId, answeredTime } = await newestTrades.ask(feed)
  signal.throwIfAborted()
  // Whole seconds. The trade came before it was told of, so no later one has its id or a lower one.
  const sinceTime = Math.ceil((answeredTime + CLOCK_MARGIN_MS) / SECOND_MS) * SECOND_MS
  return tradeId === undefined ? undefined : { lastTradeId: tradeId, sinceTime, after: 'the newest trade' }
}
