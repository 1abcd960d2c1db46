import type { Place, StandIns } from './stand-in-service.ts'

/**
 * The whole way as one would write it first: JSON at both ends, an entry, an HSET, a PUBLISH and an XACK for each trade, all of them
 * pipelined, bars in doubles, and an object written to each call. What it counts twice after a crash, and what waits for a client that does
 * not read, is nobody's care.
 */
export const PER_TRADE: StandIns = {
  ingestor: { file: 'per-trade-feed-process.ts', question: 'open', argument: (place: Place) => place },
  aggregator: { file: 'per-trade-log-process.ts', question: 'open', argument: (place: Place) => place },
  edge: { file: 'per-trade-edge-process.ts', question: 'open', argument: (place: Place) => place },
}

/** The stream of a symbol's trades. */
export const streamOf = (symbol: string) => `trades:${symbol}`
/** Where its bars are published. */
export const CHANNEL = 'updates'

/** What is published of a trade. */
export interface PublishedBar {
  readonly symbol: string
  readonly tradeTime: number
  readonly openTime: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly quote: number
  readonly taker: number
  readonly count: number
}
