/**
 * What the parts of the way of a trade cost, in µs of one core: measured by the stages that are named, on the machine of
 * docs/bench/report.json. Each part costs something for a call and something for each symbol or trade that the call carries.
 */
export interface Costs {
  /** Ingestor: an append, and each symbol and trade in it, with the frame that the trade came in. */
  readonly ingestorCallUs: number
  readonly ingestorSymbolUs: number
  readonly ingestorTradeUs: number
  /** Redis: an append with its wake-up of the reader. */
  readonly appendCallUs: number
  readonly appendSymbolUs: number
  /** Aggregator: a commit with the read before it; seven live bars of each symbol; each trade. */
  readonly aggregatorCallUs: number
  readonly aggregatorSymbolUs: number
  readonly aggregatorTradeUs: number
  /** Redis: a commit with the read before it. */
  readonly commitCallUs: number
  readonly commitSymbolUs: number
  /** From one process to another and back, without the work of either. */
  readonly hopUs: number
}
