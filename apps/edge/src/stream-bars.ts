import { type BarStream, framePositions, RpcError, type SeriesPosition, type StreamBarsRequest } from '@chart/grpc'
import { type RedisCommands, readFeedStatus } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { BarHistory } from './bar-history.ts'
import { furthestOf } from './client-bars.ts'
import { JoinFilter } from './join-filter.ts'
import { joiningSeriesOf, tellHistory } from './join-stream.ts'
import type { KeyedEvent } from './keyed-event.ts'
import type { EdgeLimits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { heartbeatOf } from './series-event.ts'
import type { ServedSymbols } from './served-symbols.ts'
import { planStream, type StreamPlan, type WantedSeries } from './stream-request.ts'
import type { Subscriber } from './subscriber.ts'
import { SubscriberGroup } from './subscriber-group.ts'
import type { SymbolHub } from './symbol-hub.ts'

/** How often every call hears how its feeds are. */
const HEARTBEAT_MS = 5_000
/** Streams that began together do not end together: each lives from 0.8 to 1.2 times the age. */
const AGE_SPREAD = 0.2

export interface StreamBarsOptions {
  readonly hub: SymbolHub
  readonly served: ServedSymbols
  readonly history: BarHistory
  readonly redis: RedisCommands
  readonly metrics: Metrics
  readonly limits: EdgeLimits
  readonly log: Log
  readonly signal: AbortSignal
}

/** StreamBars: joins each call to the group of its like. */
export class BarStreams {
  readonly #options: StreamBarsOptions
  readonly #groups = new Map<string, SubscriberGroup>()

  constructor(options: StreamBarsOptions) {
    this.#options = options
  }

  /**
   * Serves one call; resolves when it has been told all of the past that it asked for.
   * @throws RpcError for a request that cannot be served
   */
  async open(request: StreamBarsRequest, stream: BarStream): Promise<void> {
    const { hub, limits, signal } = this.#options
    const plan = planStream(request, await this.#options.served.including(request.symbols), limits)
    await hub.watch(plan.symbols)
    if (signal.aborted) throw stopping()
    // From here to `hold` nothing is awaited: what is known and the place in the group are of one moment.
    const joining = plan.series.flatMap(wanted => {
      const { position } = wanted
      if (position === undefined && plan.startTime === undefined) return []
      const hasCorrections = position !== undefined && hub.hasCorrectionsSince(position)
      const known = hub.known(wanted.symbol, wanted.interval.name)
      return [joiningSeriesOf(wanted, known, plan.startTime, hasCorrections)]
    })
    const group = this.#groupOf(plan)
    const subscriber = group.join(stream, joining.length === 0 ? this.#snapshots(plan) : [])
    this.#follow(stream, subscriber, group)
    const clients = new Map(joining.map(({ key, client }) => [key, client]))
    // Before anything is said of a series that begins now: a correction of a bar from before would be taken for its beginning.
    const beginning = this.#positions(plan, one => (clients.has(one.key) ? one.position : this.#positionOf(one)))
    if (joining.length === 0) subscriber.note(beginning)
    else {
      subscriber.hold(new JoinFilter(clients, plan.mode !== 'closed'))
      await subscriber.tellBytes(beginning)
      await tellHistory(subscriber, joining, plan.startTime, this.#options)
      // What closed in this turn of the event loop comes before the live bars as they are now.
      group.flush()
      subscriber.release(this.#snapshots(plan))
      // An edge may be behind a client that comes from another.
      subscriber.note(this.#positions(plan, one => furthestOf(this.#positionOf(one), one.position)))
    }
  }

  #follow(stream: BarStream, subscriber: Subscriber, group: SubscriberGroup): void {
    const { metrics, limits } = this.#options
    metrics.streams.inc()
    const ageMs = limits.streamAgeMs * (1 + AGE_SPREAD * (2 * Math.random() - 1))
    const ageTimer = setTimeout(() => {
      this.#end(group, subscriber, new RpcError('UNAVAILABLE', 'the stream has come to its age; call again'))
    }, ageMs).unref()
    stream.onClose(() => {
      clearTimeout(ageTimer)
      metrics.streams.dec()
      group.leave(subscriber)
      if (group.size === 0) this.#drop(group)
    })
  }

  #snapshots({ series, mode }: StreamPlan): KeyedEvent[] {
    if (mode === 'closed') return []
    return series.flatMap(({ key, symbol, interval }) => {
      const event = this.#options.hub.snapshot(symbol, interval.name)
      return event === undefined ? [] : [{ key, event }]
    })
  }

  #positionOf({ symbol, interval }: WantedSeries): SeriesPosition | undefined {
    return this.#options.hub.position(symbol, interval.name)
  }

  /** Where a call stands that is told no live bars; no bytes for any other, which its live bars tell. */
  #positions({ series, mode }: StreamPlan, positionOf: (one: WantedSeries) => SeriesPosition | undefined): Uint8Array {
    return framePositions(mode === 'closed' ? series.flatMap(one => positionOf(one) ?? []) : [])
  }

  /** Tells every call, again and again, how the feeds of its symbols are. */
  async sendHeartbeats(): Promise<void> {
    const { hub, redis, log, signal } = this.#options
    while (!signal.aborted) {
      await delay(HEARTBEAT_MS, signal)
      if (signal.aborted) return
      try {
        for (const status of await readFeedStatus(redis, [...hub.inUse()])) {
          const event = heartbeatOf(status)
          for (const group of hub.groupsOf(status.symbol)) group.push(status.symbol, event)
        }
      } catch (error) {
        log.warn({ reason: (error as Error).message }, 'feed states cannot be read; no heartbeat this time')
      }
    }
  }

  /** Ends every call, one after the other over DRAIN_SPREAD_MS, asking the clients to come again: other edges go on. */
  async endAll(): Promise<void> {
    const subscribers = [...this.#groups.values()].flatMap(group =>
      [...group.subscribers()].map(one => ({ group, one })),
    )
    const startTime = performance.now()
    for (const [index, { group, one }] of subscribers.entries()) {
      const dueMs = (index / subscribers.length) * this.#options.limits.drainSpreadMs - (performance.now() - startTime)
      if (dueMs >= 1) await new Promise(resolve => setTimeout(resolve, dueMs))
      this.#end(group, one, stopping())
    }
  }

  #end(group: SubscriberGroup, subscriber: Subscriber, error: RpcError): void {
    group.flush()
    if (subscriber.isUpToDate) subscriber.note(group.positions())
    subscriber.fail(error)
  }

  #groupOf({ series, mode, updateGapMs }: StreamPlan): SubscriberGroup {
    const sorted = series.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    const seriesKeys = sorted.map(({ key }) => key)
    const identity = `${mode} ${updateGapMs} ${seriesKeys.join(',')}`
    let group = this.#groups.get(identity)
    if (group === undefined) {
      const { metrics, limits } = this.#options
      group = new SubscriberGroup({
        seriesKeys,
        mode,
        updateGapMs,
        metrics,
        limits,
        positions: () => framePositions(sorted.flatMap(one => this.#positionOf(one) ?? [])),
      })
      this.#groups.set(identity, group)
      this.#options.hub.add(group)
    }
    return group
  }

  #drop(group: SubscriberGroup): void {
    this.#options.hub.remove(group)
    for (const [identity, one] of this.#groups) if (one === group) this.#groups.delete(identity)
  }
}

function stopping(): RpcError {
  return new RpcError('UNAVAILABLE', 'this edge is stopping; call again')
}
