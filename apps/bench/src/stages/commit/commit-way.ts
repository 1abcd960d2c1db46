/** One way from trades in a log to bars in Redis. */
export interface CommitWay {
  /** Of the trades of a whole run: slow ways take fewer. */
  readonly share: number
  /** Writes the trades into an empty Redis as this way reads them. */
  fill(): Promise<void>
  /** Reads them all, and makes of them what it makes. */
  run(): Promise<void>
}
