import type { DoubleBar } from '../stages/commit/double-bar.ts'
import type { StandIns } from './stand-in-service.ts'

/**
 * The whole way as one would write it first: JSON at both ends, an entry, an HSET, a PUBLISH and an XACK for each trade, all of them
 * pipelined, bars in doubles, and an object written to each call. What it counts twice after a crash, and what waits for a client that does
 * not read, is nobody's care.
 */
export const PER_TRADE: StandIns = {
  ingestor: { file: 'per-trade-feed-process.ts', question: 'open', argument: place => place },
  aggregator: { file: 'per-trade-log-process.ts', question: 'open', argument: place => place },
  edge: { file: 'per-trade-edge-process.ts', question: 'open', argument: place => place },
}

/** The stream of a symbol's trades. */
export const streamOf = (symbol: string) => `trades:${symbol}`
/** Where its bars are published. */
export const CHANNEL = 'updates'

/** What is published of a trade. */
export interface PublishedBar extends DoubleBar {
  readonly symbol: string
  readonly tradeTime: number
}
