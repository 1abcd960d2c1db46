import type { ServerResponse } from 'node:http'
import type { Log } from '@chart/service'
import type { FeedWatch } from './feed-watch.ts'
import type { History, HistoryTelling } from './history.ts'
import type { Metrics, StreamEnd } from './metrics.ts'
import type { BarTelling, LineListener, SeriesLine } from './series-line.ts'
import { idOfPositions } from './stream-position.ts'

/** Closed bars that wait for a page that does not read; with more its stream ends, and the browser resumes. */
const WAITING_CLOSED_MAX = 1_000

/** Closed bars told before the history that are told again after it: with more, the history has the older ones. */
const TOLD_CLOSED_MAX = 1_000

export interface PageStreamOptions {
  readonly response: Pick<ServerResponse, 'write' | 'on' | 'end' | 'destroy'>
  readonly series: readonly { readonly line: SeriesLine; readonly tag: string; readonly from: number | undefined }[]
  readonly history: Pick<History, 'bring'>
  readonly feeds: Pick<FeedWatch, 'follow' | 'eventText'>
  readonly metrics: Metrics
  readonly log: Log
  /** Called once. */
  onEnd(reason: StreamEnd): void
}

/** One page that follows bars: what it is told waits here until it is written, at the end of the turn of the event loop. */
export class PageStream {
  readonly #options: PageStreamOptions
  readonly #series: FollowedSeries[]
  readonly #symbols: readonly string[]
  readonly #ended = new AbortController()
  readonly #closed: { readonly series: FollowedSeries; readonly telling: BarTelling }[] = []
  #unfollowFeeds: () => void = () => undefined
  #isFeedDue = true
  #isFlushDue = false
  #blockedTime: number | undefined
  #wroteTime = performance.now()

  constructor(options: PageStreamOptions) {
    this.#options = options
    this.#series = options.series.map(({ line, from }) => new FollowedSeries(this, line, from))
    this.#symbols = [...new Set(options.series.map(({ line }) => line.symbol))]
  }

  /** Begins: live bars at once, history when it comes. */
  start(): void {
    const { response, feeds, series } = this.#options
    response.on('drain', () => this.#drained())
    response.on('close', () => this.#end('left'))
    response.on('error', () => undefined)
    for (const one of this.#series) one.begin()
    this.#unfollowFeeds = feeds.follow(
      series.map(({ line, tag }) => ({ symbol: line.symbol, tag })),
      () => {
        this.#isFeedDue = true
        this.flushSoon()
      },
    )
    this.#write('retry: 1000\n\n')
    this.flushSoon()
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** Ends the stream because this server stops: the browser goes on with another. */
  stop(): void {
    this.#end('stopped')
    this.#options.response.end()
  }

  /** How long the page has not read what was written; 0 when it has read all. */
  blockedMs(now: number): number {
    return this.#blockedTime === undefined ? 0 : now - this.#blockedTime
  }

  /** Ends a stream whose page does not read; the browser, if there still is one, resumes. */
  evict(): void {
    this.#end('slow')
    this.#options.response.destroy()
  }

  /** Tells the feeds again where nothing was written since `time`, so that either side notices a dead connection. */
  keepAlive(time: number): void {
    if (this.#blockedTime !== undefined || this.#wroteTime >= time) return
    this.#isFeedDue = true
    this.#flush()
    // Feeds that nobody could look at yet: a line that says nothing.
    if (this.#wroteTime < time) this.#write(':\n\n')
  }

  tellClosed(series: FollowedSeries, telling: BarTelling): void {
    this.#closed.push({ series, telling })
    if (this.#closed.length >= WAITING_CLOSED_MAX) this.#flush()
    if (this.#closed.length > WAITING_CLOSED_MAX) this.evict()
    else this.flushSoon()
  }

  bringHistory(series: FollowedSeries): Promise<HistoryTelling | undefined> {
    const { symbol, interval } = series.line
    return this.#options.history.bring({ symbol, interval: interval.name }, series.position, this.signal)
  }

  historyFailed(error: unknown): void {
    if (this.signal.aborted) return
    this.#options.log.error({ err: error }, 'history cannot be told; ending the stream')
    this.evict()
  }

  mergedLive(): void {
    this.#options.metrics.merged.inc()
  }

  flushSoon(): void {
    if (this.#isFlushDue || this.#blockedTime !== undefined) return
    this.#isFlushDue = true
    setImmediate(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }

  #drained(): void {
    this.#blockedTime = undefined
    this.#flush()
  }

  /** Writes what waits, as far as the page reads it: histories one by one, for they are large. */
  #flush(): void {
    while (!this.signal.aborted && this.#blockedTime === undefined) {
      const series = this.#series.find(({ hasHistory }) => hasHistory)
      if (series === undefined) break
      this.#writeEvents([series.takeHistory()])
    }
    if (this.signal.aborted || this.#blockedTime !== undefined) return
    const texts = this.#closed.splice(0).map(({ series, telling }) => series.tell(telling))
    for (const series of this.#series) {
      const telling = series.takeLive()
      if (telling !== undefined) texts.push(series.tell(telling))
    }
    const feedText = this.#isFeedDue ? this.#options.feeds.eventText(this.#symbols) : undefined
    if (feedText !== undefined) {
      this.#isFeedDue = false
      texts.push(feedText)
    }
    if (texts.length > 0) this.#writeEvents(texts)
  }

  /** One id for all: a browser that gets only some of them goes on from the one before, and is told those again. */
  #writeEvents(texts: readonly string[]): void {
    this.#options.metrics.events.inc(texts.length)
    this.#write(`${texts.join('\n')}id: ${idOfPositions(this.#series.map(({ position }) => position))}\n\n`)
  }

  #write(text: string): void {
    this.#options.metrics.writtenBytes.inc(text.length)
    this.#wroteTime = performance.now()
    if (!this.#options.response.write(text)) this.#blockedTime ??= this.#wroteTime
  }

  #end(reason: StreamEnd): void {
    if (this.signal.aborted) return
    this.#ended.abort()
    for (const series of this.#series) series.end()
    this.#unfollowFeeds()
    this.#options.onEnd(reason)
  }
}

/**
 * A series on a page. As long as history is owed (it joins, or updates were missed), `position` stays where it was: should the connection
 * break meanwhile, the page asks for all of it again.
 */
class FollowedSeries implements LineListener {
  readonly line: SeriesLine
  /** Of the newest bar up to which the page lacks none; undefined while it holds none. */
  position: number | undefined
  readonly #page: PageStream
  /** How often history was owed, so that one that was asked for before the last time is asked for again; 0: none is. */
  #owed = 0
  #isAsking = false
  #history: HistoryTelling | undefined
  #live: BarTelling | undefined
  /** Closed bars told while history is owed. */
  readonly #told: BarTelling[] = []
  #newestTold: number | undefined

  constructor(page: PageStream, line: SeriesLine, from: number | undefined) {
    this.#page = page
    this.line = line
    this.position = from
  }

  begin(): void {
    this.line.add(this)
    this.#live = this.line.snapshot()
    this.onMissed()
  }

  end(): void {
    this.line.remove(this)
  }

  onBar(telling: BarTelling): void {
    if (!telling.isLive) {
      this.#page.tellClosed(this, telling)
      return
    }
    if (this.#live !== undefined) this.#page.mergedLive()
    this.#live = telling
    this.#page.flushSoon()
  }

  onMissed(): void {
    this.#owed++
    this.#history = undefined
    if (!this.#isAsking) this.#bringHistory().catch(error => this.#page.historyFailed(error))
  }

  get hasHistory(): boolean {
    return this.#history !== undefined
  }

  /** The text of the history that is there. After one that replaces what the page holds comes what was told before it, again. */
  takeHistory(): string {
    const { text, replace, newestOpenTime } = this.#history!
    const texts = replace ? [text, ...this.#told.map(telling => telling.text)] : [text]
    if (replace) this.#live ??= this.line.snapshot()
    this.position = newest(newest(this.position, newestOpenTime), this.#newestTold)
    this.#history = undefined
    this.#owed = 0
    this.#told.length = 0
    return texts.join('\n')
  }

  takeLive(): BarTelling | undefined {
    const live = this.#live
    this.#live = undefined
    return live
  }

  /** The text of a bar that is written now. */
  tell(telling: BarTelling): string {
    this.#newestTold = newest(this.#newestTold, telling.openTime)
    if (this.#owed === 0) this.position = newest(this.position, telling.openTime)
    else if (!telling.isLive) {
      this.#told.push(telling)
      if (this.#told.length > TOLD_CLOSED_MAX) this.#told.shift()
    }
    return telling.text
  }

  async #bringHistory(): Promise<void> {
    this.#isAsking = true
    let owed: number
    let history: HistoryTelling | undefined
    do {
      owed = this.#owed
      history = await this.#page.bringHistory(this)
    } while (history !== undefined && this.#owed !== owed)
    this.#isAsking = false
    this.#history = history
    this.#page.flushSoon()
  }
}

function newest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}
