import { type ExchangeRest, type SymbolInfo, UnknownSymbolError } from '@chart/binance'
import { delay, type Log } from '@chart/service'
import type { SymbolFeed } from './symbol-feed.ts'

/** How often the exchange is asked whether it trades the symbols; weight 20 of 6,000 a minute. */
const STATUS_MS = 60_000
/** How often those are asked for whose watermark waits for the answer; 240 of the 6,000 when there always is one. */
const AWAITED_MS = 5_000
/** Our word for a symbol that was served and that the exchange no longer knows. */
const DELISTED = 'DELISTED'

export interface StatusOptions {
  readonly rest: ExchangeRest
  readonly log: Log
  readonly signal: AbortSignal
  /** Exchange time that the feed has reached, in whole seconds. */
  reachedTime(): number
  /** What is said of these has changed. */
  onChanged(feeds: readonly SymbolFeed[]): Promise<void>
}

/** Asks the exchange which symbols it trades, until the signal aborts: their silence means something else than that of the others. */
export async function watchStatus(feeds: readonly SymbolFeed[], options: StatusOptions): Promise<void> {
  const { signal } = options
  /** The exchange no longer knows them, and refuses an answer about all when one of them is asked for. */
  const delisted = new Set<SymbolFeed>()
  let allTime = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const isAll = performance.now() - allTime >= STATUS_MS
    const asked = feeds.filter(feed => !delisted.has(feed) && (isAll || feed.awaitsStatus))
    const gone = await askStatus(asked, options)
    for (const feed of gone) delisted.add(feed)
    if (gone.length > 0) continue
    if (isAll) allTime = performance.now()
    await delay(AWAITED_MS, signal)
  }
}

/** Gives those that the exchange does not know any more; the others are to be asked for again then. */
async function askStatus(feeds: readonly SymbolFeed[], options: StatusOptions): Promise<readonly SymbolFeed[]> {
  const { rest, log, signal, reachedTime } = options
  if (feeds.length === 0) return []
  const askedTime = reachedTime()
  try {
    await learn(feeds, await rest.exchangeInfo(feeds.map(({ symbol }) => symbol)), askedTime, options)
  } catch (error) {
    const unknown = error instanceof UnknownSymbolError ? error.symbols : []
    const gone = feeds.filter(({ symbol }) => unknown.includes(symbol))
    const infos = gone.map(({ info }) => ({ ...info, status: DELISTED }))
    await learn(gone, infos, askedTime, options).catch(() => undefined)
    if (gone.length > 0) return gone
    if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'trading status unknown for now')
  }
  return []
}

async function learn(
  feeds: readonly SymbolFeed[],
  infos: readonly SymbolInfo[],
  askedTime: number,
  { log, onChanged }: StatusOptions,
): Promise<void> {
  const changed = feeds.filter((feed, index) => feed.info.status !== infos[index]!.status)
  for (const [index, feed] of feeds.entries()) feed.learn(infos[index]!, askedTime)
  for (const { symbol, info } of changed) log.warn({ symbol, status: info.status }, 'trading status changed')
  if (changed.length > 0) await onChanged(changed)
}
