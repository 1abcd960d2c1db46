import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { BarText } from '@chart/market'
import type { FeedView, HistoryEvent } from '../src/wire.ts'

export interface PageEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

/** A page as far as its server knows it: it follows series by server-sent events, and goes on by the last id when it is cut. */
export class TestPage implements Disposable {
  /** Everything that was told, over all connections. */
  readonly events: PageEvent[] = []
  /** The bars that it holds, by `BTCUSDT:1m` and openTime. */
  readonly bars = new Map<string, Map<number, BarText>>()
  readonly feeds = new Map<string, FeedView>()
  /** Of the newest connection. */
  status: number | undefined
  connections = 0
  /** When the server ended a stream in good order, by performance.now(). */
  readonly endTimes: number[] = []
  lastEventId: string | undefined
  #port: () => number
  readonly #series: string
  #request: ClientRequest | undefined
  #isClosed = false

  /** @param port asked for each connection, so that a server can be replaced */
  constructor(port: number | (() => number), series: string) {
    this.#port = typeof port === 'number' ? () => port : port
    this.#series = series
    this.#connect()
  }

  /** What the page holds of a series, in order of time. */
  held(series: string): BarText[] {
    return [...(this.bars.get(series)?.values() ?? [])].sort((a, b) => a.openTime - b.openTime)
  }

  count(event: string): number {
    return this.events.filter(one => one.event === event).length
  }

  /** The connection breaks, and the page makes another. */
  cut(): void {
    this.#request?.destroy()
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#request?.destroy()
  }

  #connect(): void {
    if (this.#isClosed) return
    this.connections++
    const request = get(
      {
        host: '127.0.0.1',
        port: this.#port(),
        path: `/api/stream?series=${this.#series}`,
        agent: false,
        headers: this.lastEventId === undefined ? {} : { 'last-event-id': this.lastEventId },
      },
      response => this.#read(response),
    )
    this.#request = request
    request.on('error', () => undefined)
    // A browser waits for a second; a test need not.
    request.on('close', () => setTimeout(() => this.#connect(), 20))
  }

  #read(response: IncomingMessage): void {
    this.status = response.statusCode
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (text + chunk).split('\n\n')
      text = parts.pop()!
      if (response.statusCode === 200) for (const part of parts) this.#take(part)
    })
    response.on('error', () => undefined)
    response.on('end', () => {
      if (response.complete) this.endTimes.push(performance.now())
    })
  }

  #take(part: string): void {
    const fields = new Map(part.split('\n').map(line => line.split(/: ?(.*)/s, 2) as [string, string]))
    const id = fields.get('id')
    if (id !== undefined) this.lastEventId = id
    const event = fields.get('event')
    if (event === undefined) return
    const data = JSON.parse(fields.get('data')!)
    this.events.push({ event, id, data })
    if (event === 'history') this.#takeHistory(data)
    else if (event === 'bar') this.#put(data)
    else for (const feed of data as FeedView[]) this.feeds.set(feed.symbol, feed)
  }

  #takeHistory(history: HistoryEvent): void {
    if (history.replace) this.bars.delete(`${history.symbol}:${history.interval}`)
    for (const bar of history.bars) this.#put(bar)
  }

  #put(bar: BarText): void {
    const key = `${bar.symbol}:${bar.interval}`
    const series = this.bars.get(key) ?? new Map<number, BarText>()
    this.bars.set(key, series)
    const known = series.get(bar.openTime)
    const isOlder = known?.state === 'closed' && (bar.state === 'live' || bar.revision < known.revision)
    if (!isOlder) series.set(bar.openTime, bar)
  }
}
