import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Interval } from '@chart/market'
import type { Log } from '@chart/service'
import type { FeedWatch } from './feed-watch.ts'
import type { History } from './history.ts'
import type { LiveSymbols } from './live-symbols.ts'
import type { Metrics } from './metrics.ts'
import { PageStream } from './page-stream.ts'
import { RedisTroubleError, RefusedRequest } from './refused-request.ts'
import { checkInterval, checkSymbol, checkWanted, positionsOf, type Served } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'

/** A page that has not read for this long has its stream ended. */
const SLOW_PAGE_MAX_MS = 30_000

/** A page that was told nothing for this long is told how the feeds are: it takes a longer silence for a dead connection. */
const KEEP_ALIVE_MS = 5_000

/** How often these two are looked at. */
const LOOK_MS = 1_000

/** Streams of a server that stops end one after the other over this time, so that the others are not asked by all at once. */
const STOP_SPREAD_MS = 1_000

/** When a page that was one too many may ask again. */
const TOO_MANY_AGAIN_S = 5

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies that gather an answer before they pass it on are asked not to.
  'x-accel-buffering': 'no',
} as const

export interface PageStreamsOptions {
  readonly served: ServedSymbols
  readonly live: LiveSymbols
  readonly history: History
  readonly feeds: FeedWatch
  readonly intervals: readonly Interval[]
  readonly pagesMax: number
  readonly slowPageMaxMs?: number
  readonly metrics: Metrics
  readonly log: Log
}

/** All pages that follow bars. */
export class PageStreams implements Disposable {
  readonly #options: PageStreamsOptions
  readonly #pages = new Set<PageStream>()
  readonly #timer: NodeJS.Timeout
  /** With those that are about to begin. */
  #count = 0
  #isStopping = false

  constructor(options: PageStreamsOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, options.slowPageMaxMs ?? LOOK_MS))
  }

  /**
   * Answers with the events of the series that are asked for, until either side ends it.
   * @throws RefusedRequest
   */
  async open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { metrics, pagesMax } = this.#options
    const wanted = checkWanted(query.get('series'))
    if (this.#isStopping) throw new RefusedRequest(503, 'this server is stopping; ask again', { retryAfter: 1 })
    if (this.#count >= pagesMax) {
      metrics.refusedPages.inc()
      throw new RefusedRequest(503, `${pagesMax} pages are open here already; try again later`, {
        retryAfter: TOO_MANY_AGAIN_S,
      })
    }
    this.#count++
    let isBegun = false
    try {
      const lastEventId = request.headers['last-event-id']
      const positions = positionsOf(wanted, typeof lastEventId === 'string' ? lastEventId : undefined)
      isBegun = await this.#begin(request, response, wanted, positions)
    } finally {
      if (!isBegun) this.#count--
    }
  }

  /** Ends all streams, spread over a second. */
  async endAll(): Promise<void> {
    this.#isStopping = true
    const count = this.#pages.size
    const begin = performance.now()
    for (const [index, page] of [...this.#pages].entries()) {
      const waitMs = begin + (STOP_SPREAD_MS * index) / count - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      page.stop()
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  /** @returns whether a stream was begun, which a question for the head of an answer does not */
  async #begin(
    request: IncomingMessage,
    response: ServerResponse,
    wanted: readonly { symbol: string; interval: string }[],
    positions: readonly (number | undefined)[],
  ): Promise<boolean> {
    const { live, intervals, metrics } = this.#options
    const served: Served = { symbols: await this.#options.served.all(), intervals }
    const series = wanted.map(({ symbol, interval }, index) => ({
      ...checkSymbol(symbol, served),
      interval: checkInterval(interval, served).name,
      from: positions[index],
    }))
    if (request.method === 'HEAD') {
      response.writeHead(200, HEADERS).end()
      return false
    }
    await live.watch(series).catch((error): never => {
      throw new RedisTroubleError(error)
    })
    // The page has gone, or this server stops, meanwhile.
    if (response.destroyed || this.#isStopping) {
      response.destroy()
      return false
    }
    // A stream has its own rule for who does not read; and it may be quiet.
    response.socket?.setTimeout(0)
    response.writeHead(200, HEADERS)
    const page: PageStream = new PageStream({
      ...this.#options,
      response,
      series: series.map(({ symbol, tag, interval, from }) => ({ line: live.line(symbol, interval), tag, from })),
      onEnd: reason => {
        this.#pages.delete(page)
        this.#count--
        metrics.pages.set(this.#pages.size)
        metrics.ended.inc({ reason })
      },
    })
    this.#pages.add(page)
    metrics.pages.set(this.#pages.size)
    page.start()
    return true
  }

  #look(): void {
    const now = performance.now()
    const slowMaxMs = this.#options.slowPageMaxMs ?? SLOW_PAGE_MAX_MS
    for (const page of this.#pages) {
      if (page.blockedMs(now) >= slowMaxMs) page.evict()
      else page.keepAlive(now - KEEP_ALIVE_MS)
    }
  }
}
