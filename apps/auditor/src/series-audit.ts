import { type BarText, type Interval, openTimeOf } from '@chart/market'
import { countProven, listBars, listUnverified, seriesSpan, verifyBars } from '@chart/postgres'
import { Doubts } from './doubts.ts'
import { importHistory, KLINES_MAX } from './import-history.ts'
import { type Judgement, judgeRange } from './judge-range.ts'
import { type RepairOptions, repairMissing, repairWrong, reportSurplus, versionOf } from './repair.ts'

/** Bars made of trades are looked for so often besides those that have just closed: late trades correct bars that were verified. */
const LOOK_BACK_MS = 30_000
/** Then everything is walked through again, most of it without the exchange: rows may have been lost with a disk since. */
const AFRESH_MS = 86_400_000
/** Unverified bars that one turn looks for, the newest. */
const UNVERIFIED_MAX = 1_000

export interface SeriesAuditOptions extends Omit<RepairOptions, 'doubts' | 'tag' | 'closedTime'> {
  readonly importBars: number
  /** For tests, which do not wait so long: the first wait of a bar in doubt, and LOOK_BACK_MS. */
  readonly settleMs?: number
}

/** What one turn is told. */
export interface Turn {
  /** The exchange's clock, less what a kline may take to be final everywhere. */
  readonly closedTime: number
  /** Exchange time that the symbol's bars have reached; undefined when Redis knows none. */
  readonly throughTime: number | undefined
  /** The symbol's partition; undefined while it is not served. */
  readonly tag: string | undefined
}

/**
 * Compares the bars of one symbol and interval with the exchange's own. What was compared is a span of time that grows at both ends: at
 * once to the newest bar, and range by range towards the oldest. Inside it only bars without a proof are asked for again. All of this is
 * forgotten with the process: what is proven stands in PostgreSQL.
 */
export class SeriesAudit {
  readonly #options: SeriesAuditOptions
  readonly #doubts: Doubts
  /** Of the first look, by the exchange's clock. */
  #firstClosedTime: number | undefined
  #imported = false
  /** Open time of the series' oldest bar. */
  #oldest: number | undefined
  /** What opens at or after `from` and before `to` was compared. */
  #compared: Range | undefined
  /** End of the newest bar that was stored when we began. */
  #storedEnd = 0
  #begunAt = 0
  #lookedBackAt = Number.NEGATIVE_INFINITY

  constructor(options: SeriesAuditOptions) {
    this.#options = options
    this.#doubts = new Doubts(options.settleMs)
  }

  get interval(): Interval {
    return this.#options.interval
  }

  get doubtful(): number {
    return this.#doubts.size
  }

  /** One turn: what is new, what is in doubt, and one range of older bars. @throws whatever PostgreSQL, Redis or the exchange fail with */
  async take(turn: Turn): Promise<void> {
    const end = await this.#begin(turn)
    if (end === undefined) return
    const now = Date.now()
    const compared = this.#compared!
    const wanted = new Set(this.#doubts.due(now))
    for (let openTime = compared.to; openTime < end; openTime += this.interval.intervalMs) wanted.add(openTime)
    for (const openTime of await this.#unverified(end, now)) wanted.add(openTime)
    for (const range of rangesOf([...wanted], this.interval.intervalMs)) await this.#look(range, turn)
    this.#compared = { from: compared.from, to: Math.max(compared.to, end) }
    if (this.#oldest! < compared.from) await this.#goBack(turn)
  }

  /** Up to where there can be bars to compare, exclusive; undefined when there is none. */
  async #begin({ closedTime, throughTime }: Turn): Promise<number | undefined> {
    const { symbol, interval, postgres, importBars } = this.#options
    if (!this.#imported) {
      if (importBars > 0) await importHistory({ ...this.#options, closedTime })
      this.#imported = true
    }
    if (this.#compared === undefined || Date.now() - this.#begunAt > AFRESH_MS) {
      const span = await seriesSpan(postgres, symbol, interval.name)
      if (span === undefined) return undefined
      this.#storedEnd = span.newest + interval.intervalMs
      const end = openTimeOf(interval, Math.min(closedTime, throughTime ?? this.#storedEnd))
      this.#begunAt = Date.now()
      this.#oldest = span.oldest
      const from = Math.max(span.oldest, end - KLINES_MAX * interval.intervalMs)
      this.#compared = { from, to: from }
    }
    // A bar that our own trades have not closed yet is not missing. Without Redis nobody knows, and nothing new is expected.
    return openTimeOf(interval, Math.min(closedTime, throughTime ?? this.#storedEnd))
  }

  /** Bars inside what was compared that have no proof (any more). */
  async #unverified(end: number, now: number): Promise<number[]> {
    const { symbol, interval, postgres, settleMs } = this.#options
    if (now - this.#lookedBackAt < (settleMs ?? LOOK_BACK_MS)) return []
    this.#lookedBackAt = now
    const { from } = this.#compared!
    const range = { symbol, interval: interval.name, from, to: end, limit: UNVERIFIED_MAX }
    const found = await listUnverified(postgres, range)
    return found.filter(row => this.#doubts.isDue(row.openTime, versionOf(row), now)).map(({ openTime }) => openTime)
  }

  /** One more range of the past. Where every bar is there and has its proof the exchange need not be asked. */
  async #goBack(turn: Turn): Promise<void> {
    const { symbol, interval, postgres } = this.#options
    const { from: to, to: end } = this.#compared!
    const from = Math.max(this.#oldest!, to - KLINES_MAX * interval.intervalMs)
    const proven = await countProven(postgres, { symbol, interval: interval.name, from, to })
    const isProven = proven === (to - from) / interval.intervalMs
    if (!isProven) await this.#look({ from, to }, turn)
    this.#compared = { from, to: end }
  }

  /** Compares one range, of KLINES_MAX bars at most, and acts on what is found. */
  async #look({ from, to }: Range, { tag, closedTime }: Turn): Promise<void> {
    const { symbol, interval, postgres, rest, ids, metrics } = this.#options
    const range = { symbol, interval: interval.name, from, to, order: 'oldest', limit: KLINES_MAX } as const
    const klines = await rest.klines(symbol, interval.name, { startTime: from, endTime: to - 1, limit: KLINES_MAX })
    const rows = await listBars(postgres, range)
    const judged = judgeRange(rows, klines, openTime => ids.of(symbol, interval.name, openTime))
    for (const { openTime } of rows.filter(({ proof }) => proof !== undefined)) this.#doubts.clear(openTime)
    for (const { openTime } of judged.matched) this.#doubts.clear(openTime)
    metrics.verified.inc(await verifyBars(postgres, judged.matched))
    this.#observeDelays(judged.matched, closedTime)
    const { wrong, missing, surplus } = this.#dueOf(judged)
    const options: RepairOptions = { ...this.#options, doubts: this.#doubts, tag, closedTime }
    await repairWrong(wrong, options)
    await repairMissing(missing, range, options)
    reportSurplus(surplus, options)
  }

  /** How late the proof of a new bar comes. What ended before this audit began, and corrections, would drown it. */
  #observeDelays(proven: readonly BarText[], closedTime: number): void {
    this.#firstClosedTime ??= closedTime
    const now = Date.now()
    for (const { closeTime, revision } of proven) {
      if (revision > 0 || closeTime < this.#firstClosedTime) continue
      this.#options.metrics.provenSeconds.observe(Math.max(0, now - closeTime - 1) / 1_000)
    }
  }

  /** Without those in doubt whose turn has not come. */
  #dueOf({ wrong, missing, surplus }: Judgement): Omit<Judgement, 'matched'> {
    const now = Date.now()
    return {
      wrong: wrong.filter(({ row }) => this.#doubts.isDue(row.openTime, versionOf(row), now)),
      missing: missing.filter(({ openTime }) => this.#doubts.isDue(openTime, versionOf(undefined), now)),
      surplus: surplus.filter(row => this.#doubts.isDue(row.openTime, versionOf(row), now)),
    }
  }
}

export interface Range {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/** Ranges of KLINES_MAX bars at most that hold all of `openTimes`, the newest first: each is one call of the exchange. */
export function rangesOf(openTimes: readonly number[], intervalMs: number): Range[] {
  const ranges: { from: number; to: number }[] = []
  for (const openTime of openTimes.toSorted((a, b) => b - a)) {
    const last = ranges[ranges.length - 1]
    if (last !== undefined && last.to - openTime <= KLINES_MAX * intervalMs) last.from = openTime
    else ranges.push({ from: openTime, to: openTime + intervalMs })
  }
  return ranges
}
