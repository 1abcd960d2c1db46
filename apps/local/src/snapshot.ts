import type { Input } from './input.ts'
import type { ProcessView } from './managed-process.ts'

/** Everything the terminal shows, read at one moment. Prices are text, as the service keeps them. */
export type Snapshot = {
  readonly takenTime: number
  readonly input: Input
  readonly addresses: Addresses
  readonly symbols: readonly SymbolView[]
  /** Of all symbols and intervals together; absent until PostgreSQL has been asked. */
  readonly rows?: number
  readonly processes: readonly ProcessView[]
  /** What could not be read, in words. */
  readonly faults: readonly string[]
}

export type Addresses = {
  /** The page, or why there is none. */
  readonly chart: string
  readonly grpc: string
  readonly redis: string
  readonly postgres: string
  /** The command that shows bars moving over gRPC. */
  readonly watch: string
  /** Said when a usual port was taken. */
  readonly notes?: readonly string[]
}

export type SymbolView = {
  readonly symbol: string
  readonly bar?: LiveBarView
  /** Of the newest stored 1m bars, oldest first. */
  readonly closes?: readonly string[]
  readonly tradesPerSecond?: number
  readonly feedState?: string
  /** Of the newest 1m bar in PostgreSQL. */
  readonly newestRowTime?: number
}

export type LiveBarView = {
  readonly openTime: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly baseVolume: string
  readonly tradeCount: number
}
