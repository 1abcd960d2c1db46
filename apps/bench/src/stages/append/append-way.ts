import type { Trade } from '@chart/market'

/** One way to get trades into a log in Redis. */
export interface AppendWay {
  /** Of the work of a whole run: slow ways do less of it. */
  readonly share: number
  /** The stream that it writes. */
  readonly stream: string
  /** Makes an empty Redis ready for it. */
  prepare(): Promise<void>
  append(trades: readonly Trade[]): Promise<void>
}
