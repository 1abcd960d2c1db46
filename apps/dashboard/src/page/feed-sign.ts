import type { FeedView } from '../wire.ts'

/** How a chart is doing, in one word. */
export type ChartState =
  | FeedView['state']
  /** The server is away: what is shown is as old as that. */
  | 'reconnecting'
  /** The symbol is not, or no longer, among what is served. */
  | 'unserved'

/** What a chart's state is made of. */
export interface ChartCondition {
  readonly isServed: boolean
  readonly isConnected: boolean
  readonly feed: FeedView | undefined
}

/** The worst thing that can be said of a chart: a feed that was live a minute ago says nothing while the server is away. */
export function chartStateOf({ isServed, isConnected, feed }: ChartCondition): ChartState {
  if (!isConnected) return 'reconnecting'
  if (!isServed) return 'unserved'
  // A page stays open for days: a server of a later release may know states that this page has no word for.
  return feed !== undefined && feed.state in STATE_WORDS ? feed.state : 'unknown'
}

/** The state as the badge says it, and what it means. */
export const STATE_WORDS: Readonly<Record<ChartState, { word: string; meaning: string }>> = {
  live: { word: 'live', meaning: 'trades arrive, none is missing' },
  backfilling: { word: 'backfilling', meaning: 'trades are missing and are being fetched; later ones wait' },
  stale: { word: 'stale', meaning: 'the exchange’s feed is silent: nothing is known, so nothing is invented' },
  behind: {
    word: 'behind',
    meaning: 'trades arrive but bars do not follow; what is shown is as old as its last trade',
  },
  halted: { word: 'halted', meaning: 'the exchange has stopped trading this symbol' },
  unknown: { word: 'waiting', meaning: 'nothing was heard of this symbol yet' },
  reconnecting: { word: 'reconnecting', meaning: 'the dashboard’s server is away; what is shown is as old as that' },
  unserved: { word: 'not served', meaning: 'the service has no bars of this symbol; choose another' },
}

/** From this age on the last trade's age is worth telling. */
export const OLD_TRADE_MS = 10_000

/** Age of the last trade when it is not young, in ms. */
export function oldTradeAge(lastTradeTime: number | undefined, now: number): number | undefined {
  if (lastTradeTime === undefined || lastTradeTime === 0) return undefined
  const age = now - lastTradeTime
  return age >= OLD_TRADE_MS ? age : undefined
}
