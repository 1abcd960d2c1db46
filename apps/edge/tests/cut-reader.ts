import { setTimeout as sleep } from 'node:timers/promises'
import { type ChartEvent, type EventsOptions, openChartClient } from '@chart/client'
import { type BarText, intervalOf } from '@chart/market'
import { expect } from 'vitest'

/** A reader that hesitates does so for so long, at one event in so many. */
const HESITATION_MS = 30
const HESITATES_ONCE_IN = 40

/** Shown of what came before when a check fails. */
const CONTEXT_EVENTS = 6

/** What one series was told, in order. */
type SeriesEvent = Exclude<ChartEvent, { event: 'heartbeat' }>

/** A client of the library in the hands of a test: everything that it was told. */
export class CutReader implements AsyncDisposable {
  readonly mode: NonNullable<EventsOptions['mode']>
  readonly since: number | undefined
  reconnects = 0
  readonly #events = new Map<string, SeriesEvent[]>()
  readonly #stop = new AbortController()
  readonly #work: Promise<void>

  constructor(options: {
    address: string
    symbols: readonly string[]
    intervals: readonly string[]
    mode: NonNullable<EventsOptions['mode']>
    since?: number | undefined
    hesitates: boolean
  }) {
    this.mode = options.mode
    this.since = options.since
    this.#work = this.#run(options)
    // Told when the reader is waited for.
    this.#work.catch(() => undefined)
  }

  async #run(options: ConstructorParameters<typeof CutReader>[0]): Promise<void> {
    const { address, symbols, intervals, mode, since, hesitates } = options
    using client = openChartClient({ address, connectWithinMs: 60_000 })
    const events = client.events({
      symbols,
      intervals,
      mode,
      ...(since !== undefined && { since }),
      signal: this.#stop.signal,
      onReconnect: () => this.reconnects++,
    })
    let count = 0
    for await (const event of events) {
      if (event.event === 'heartbeat') continue
      const { symbol, interval } = event.event === 'gap' ? event.gap : event.bar
      const key = `${symbol} ${interval}`
      const told = this.#events.get(key) ?? []
      told.push(event)
      this.#events.set(key, told)
      if (hesitates && ++count % HESITATES_ONCE_IN === 0) await sleep(HESITATION_MS)
    }
  }

  /** Rejects when the stream has failed. */
  async check(): Promise<void> {
    await Promise.race([this.#work, Promise.resolve()])
  }

  of(key: string): readonly SeriesEvent[] {
    return this.#events.get(key) ?? []
  }

  /** The newest version told of each closed bar. */
  newestClosed(key: string): Map<number, BarText> {
    return new Map(this.of(key).flatMap(event => (isClosed(event) ? [[event.bar.openTime, barOf(event)]] : [])))
  }

  /** The live bar told last. */
  live(key: string): BarText | undefined {
    const event = this.of(key).findLast(one => one.event === 'update' || one.event === 'snapshot')
    return event === undefined || event.event === 'gap' ? undefined : event.bar
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
  }
}

type ClosedEvent = Extract<SeriesEvent, { bar: unknown }>

function isClosed(event: SeriesEvent): event is ClosedEvent {
  return event.event === 'closed' || event.event === 'corrected'
}

function barOf({ bar: { event, tradeTime, merged, ...bar } }: ClosedEvent): BarText {
  return bar
}

/**
 * What one series must be to a client, whatever was cut: from its beginning on every closed bar once and in order, each version that it
 * is told one that was committed, in order, no live bar that goes back or comes before its predecessor has closed.
 * @param committed every version of every closed bar, in the order committed
 */
export function checkSeriesOverCuts(
  events: readonly SeriesEvent[],
  committed: readonly BarText[],
  since?: number,
): void {
  const versions = Map.groupBy(committed, bar => bar.openTime)
  const told = new Map<number, number>()
  let newestClosed = Number.NEGATIVE_INFINITY
  let expected = since === undefined ? undefined : firstOpenTime(committed, since)
  let live: BarText | undefined
  for (const [index, event] of events.entries()) {
    const before = `\nafter ${events
      .slice(Math.max(0, index - CONTEXT_EVENTS), index)
      .map(textOf)
      .join('\n      ')}`
    if (event.event === 'gap') {
      const { startTime, endTime, interval } = event.gap
      expect(interval, 'only what is stored nowhere may be missing').toBe('1s')
      if (expected !== undefined && startTime <= expected) expected = Math.max(expected, endTime)
      continue
    }
    const { bar } = event
    const what = `${textOf(event)}${before}`
    if (!isClosed(event)) {
      if (live !== undefined) {
        expect(bar.openTime, what).toBeGreaterThanOrEqual(live.openTime)
        if (bar.openTime === live.openTime) expect(bar.lastTradeId, what).toBeGreaterThan(live.lastTradeId)
      }
      expect(bar.openTime, `${what}\nis not closed yet`).toBeGreaterThan(newestClosed)
      expected ??= bar.openTime
      expect(bar.openTime, `${what}\nfollows on`).toBe(expected)
      live = bar
      continue
    }
    const version = versions.get(bar.openTime)?.findIndex(one => isSame(one, barOf(event))) ?? -1
    expect(version, `${what}\nwas committed`).toBeGreaterThanOrEqual(0)
    expect(version, `${what}\nis newer than what was told`).toBeGreaterThan(told.get(bar.openTime) ?? -1)
    if (event.event === 'closed') {
      expected ??= bar.openTime
      expect(bar.openTime, what).toBe(expected)
      newestClosed = bar.openTime
      expected = bar.openTime + intervalOf(bar.interval).intervalMs
    } else expect(bar.openTime, what).toBeLessThanOrEqual(newestClosed)
    told.set(bar.openTime, version)
  }
}

/** As it is shown when a check fails. */
export function textOf(event: SeriesEvent): string {
  const text = (time: number) => new Date(time).toISOString().slice(11, 19)
  if (event.event === 'gap') return `gap from ${text(event.gap.startTime)} to ${text(event.gap.endTime)}`
  const { symbol, interval, openTime, revision, lastTradeId } = event.bar
  return `${event.event} ${symbol} ${interval} ${text(openTime)} r${revision} through ${lastTradeId}`
}

function firstOpenTime(committed: readonly BarText[], since: number): number {
  return Math.min(...committed.map(({ openTime }) => openTime).filter(openTime => openTime >= since))
}

function isSame(one: BarText, other: BarText): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())
}
