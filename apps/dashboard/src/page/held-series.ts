import { type BarText, intervalOf } from '@chart/market'
import { type HistoryEvent, type SeriesName, textOfSeries, type WantedSeries } from '../wire.ts'
import { BarStore } from './bar-store.ts'
import { askOlderBars } from './server.ts'
import { gapsOf } from './time-slots.ts'

/** Bars of a series on the page: two weeks of minutes. Past it the oldest go, and no older ones are loaded. */
const BARS_MAX = 20_000
/** So many more while somebody looks at the oldest ones; then they go all the same. */
const LOOKED_AT_MAX = 2_000

/** A history that has not come in this time is said to be unavailable: the server gives it as soon as an edge answers. */
const HISTORY_MAX_MS = 4_000
/** After older bars could not be loaded, they are asked for again no sooner. */
const OLDER_AGAIN_MS = 5_000
/** What is the first bar now need not stay it: a new series is given the exchange's own bars some seconds after it has begun. */
const FIRST_AGAIN_MS = 10_000

export interface SeriesReader {
  /** Bars from `openTime` on have changed; −Infinity: all. Undefined: only what is said of the series. */
  onChange(changedFrom: number | undefined): void
  /** openTime of the oldest bar that is looked at; Infinity while the newest ones are. */
  readonly lookedAtFrom: number
}

/** One series as the page holds it, shared by the charts that show it. */
export class HeldSeries {
  readonly name: SeriesName
  readonly text: string
  readonly intervalMs: number
  readonly readers = new Set<SeriesReader>()
  readonly #store = new BarStore()
  #history: 'loading' | 'here' | 'unavailable' = 'loading'
  #hasHistory = false
  #isFirst = false
  #firstTime = 0
  #older: 'none' | 'loading' | 'failed' = 'none'
  #timer: ReturnType<typeof setTimeout> | undefined

  readonly #askOlderBars: typeof askOlderBars
  #gapsAsked = 0

  constructor(name: SeriesName, ask = askOlderBars) {
    this.name = name
    this.#askOlderBars = ask
    this.text = textOfSeries(name)
    this.intervalMs = intervalOf(name.interval).intervalMs
  }

  get bars(): readonly BarText[] {
    return this.#store.bars
  }

  get newest(): BarText | undefined {
    return this.#store.newest
  }

  /** `here` when every closed bar since the oldest one has come, as far as there are any. */
  get history(): 'loading' | 'here' | 'unavailable' {
    return this.#history
  }

  get older(): 'none' | 'loading' | 'failed' {
    return this.#older
  }

  /** There was nothing before the oldest bar when that was asked. */
  get isFirst(): boolean {
    return this.#isFirst
  }

  /** For the address of a stream. Without a history it has no position: the server is to tell all. */
  wanted(): WantedSeries {
    const from = this.#hasHistory ? this.newest?.openTime : undefined
    return { ...this.name, ...(from !== undefined && { from }) }
  }

  /** A stream has begun: a history will come. */
  awaitHistory(): void {
    this.#history = 'loading'
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#history = 'unavailable'
      this.#tell(undefined)
    }, HISTORY_MAX_MS)
    this.#tell(undefined)
  }

  takeHistory({ bars, replace, isFirst }: HistoryEvent): void {
    clearTimeout(this.#timer)
    this.#history = 'here'
    this.#hasHistory = true
    if (replace) {
      this.#store.replace(bars)
      this.#setFirst(isFirst)
      this.#tell(Number.NEGATIVE_INFINITY)
    } else {
      this.#tell(this.#store.merge(bars))
    }
    this.#trim()
  }

  takeBar(bar: BarText): void {
    const changedFrom = this.#store.merge([bar])
    if (changedFrom === undefined) return
    this.#tell(changedFrom)
    this.#trim()
  }

  /** Loads a page of bars from before the oldest one, if there may be any and none are being loaded. */
  async loadOlder(): Promise<void> {
    const oldest = this.#store.oldest
    const isFull = this.#store.bars.length >= BARS_MAX
    const isKnownFirst = this.#isFirst && performance.now() - this.#firstTime < FIRST_AGAIN_MS
    if (oldest === undefined || !this.#hasHistory || isKnownFirst || isFull || this.#older !== 'none') return
    this.#setOlder('loading')
    try {
      const { bars, isFirst } = await this.#askOlderBars(this.name, oldest.openTime)
      // A history that replaced all bars in the meantime begins elsewhere.
      if (this.#store.oldest?.openTime === oldest.openTime) {
        this.#setFirst(isFirst || bars.length === 0)
        this.#tell(this.#store.merge(bars))
      }
      this.#setOlder('none')
    } catch {
      this.#setOlder('failed')
      setTimeout(() => this.#setOlder('none'), OLDER_AGAIN_MS)
    }
  }

  /**
   * Asks again for bars that are missing, of one gap at a time: they may have been put in since, and of what is put in long after
   * it has closed no stream tells.
   */
  async fillGap(): Promise<void> {
    const gaps = gapsOf(this.bars, this.intervalMs)
    const gap = gaps.at(-1 - (this.#gapsAsked++ % gaps.length))
    if (gap === undefined || !this.#hasHistory) return
    const answer = await this.#askOlderBars(this.name, gap.toTime).catch(() => undefined)
    if (answer === undefined) return
    const { oldest } = this.#store
    // What lies before the oldest bar is loaded when somebody looks there.
    this.#tell(this.#store.merge(answer.bars.filter(bar => oldest !== undefined && bar.openTime > oldest.openTime)))
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #setFirst(isFirst: boolean): void {
    this.#isFirst = isFirst
    this.#firstTime = performance.now()
  }

  #setOlder(older: 'none' | 'loading' | 'failed'): void {
    this.#older = older
    this.#tell(undefined)
  }

  #trim(): void {
    const lookedAtFrom = Math.min(...[...this.readers].map(reader => reader.lookedAtFrom))
    if (!this.#store.trim(BARS_MAX, lookedAtFrom) && !this.#store.trim(BARS_MAX + LOOKED_AT_MAX)) return
    this.#isFirst = false
    this.#tell(Number.NEGATIVE_INFINITY)
  }

  #tell(changedFrom: number | undefined): void {
    for (const reader of this.readers) reader.onChange(changedFrom)
  }
}
