import { type BarStream, frameHeartbeat, RpcError, type StreamBarsRequest } from '@chart/grpc'
import { type RedisCommands, readFeedStatus } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { KeyedEvent } from './keyed-event.ts'
import type { Metrics } from './metrics.ts'
import { checkInterval, checkList, checkSymbol, SYMBOLS_MAX } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'
import { type StreamMode, SubscriberGroup } from './subscriber-group.ts'
import { type SymbolHub, seriesKeyOf } from './symbol-hub.ts'

/** How often every call hears how its feeds are. */
const HEARTBEAT_MS = 5_000

const MODES: Record<StreamBarsRequest['mode'], StreamMode> = {
  STREAM_MODE_UNSPECIFIED: 'every-trade',
  STREAM_MODE_EVERY_TRADE: 'every-trade',
  STREAM_MODE_LATEST: 'latest',
  STREAM_MODE_CLOSED: 'closed',
}

export interface StreamBarsOptions {
  readonly hub: SymbolHub
  readonly served: ServedSymbols
  readonly redis: RedisCommands
  readonly metrics: Metrics
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

  /** @throws RpcError for a request that cannot be served */
  async open(request: StreamBarsRequest, stream: BarStream): Promise<void> {
    const { hub, metrics, signal } = this.#options
    const served = await this.#options.served.including(request.symbols)
    const symbols = checkList(request.symbols, 'symbols', SYMBOLS_MAX, (symbol, field) =>
      checkSymbol(symbol, served, field),
    )
    const intervals = checkList(request.intervals, 'intervals', served.intervals.size, (interval, field) =>
      checkInterval(interval, served, field),
    )
    const mode = MODES[request.mode]
    if (mode === undefined) throw new RpcError('INVALID_ARGUMENT', 'mode is unknown')
    await hub.watch(symbols)
    if (signal.aborted) throw stopping()
    // From here on nothing is awaited: the snapshot and the place in the group are of one moment.
    const series = symbols.flatMap(({ symbol }) => intervals.map(interval => ({ symbol, interval })))
    const snapshot = series.flatMap(({ symbol, interval }): KeyedEvent[] => {
      const event = mode === 'closed' ? undefined : hub.snapshot(symbol, interval)
      return event === undefined ? [] : [{ key: seriesKeyOf(symbol, interval), event }]
    })
    const group = this.#groupOf(
      series.map(({ symbol, interval }) => seriesKeyOf(symbol, interval)),
      mode,
    )
    const subscriber = group.join(stream, snapshot)
    metrics.streams.inc()
    stream.onClose(() => {
      metrics.streams.dec()
      group.leave(subscriber)
      if (group.size === 0) this.#drop(group)
    })
  }

  /** Tells every call, again and again, how the feeds of its symbols are. */
  async sendHeartbeats(): Promise<void> {
    const { hub, redis, log, signal } = this.#options
    while (!signal.aborted) {
      await delay(HEARTBEAT_MS, signal)
      if (signal.aborted) return
      try {
        for (const status of await readFeedStatus(redis, [...hub.inUse()])) {
          const event = { type: 'heartbeat', openTime: 0, frame: frameHeartbeat(status) } as const
          for (const group of hub.groupsOf(status.symbol)) group.push(status.symbol, event)
        }
      } catch (error) {
        log.warn({ reason: (error as Error).message }, 'feed states cannot be read; no heartbeat this time')
      }
    }
  }

  /** Ends every call, asking the client to come again: another edge goes on. */
  endAll(): void {
    for (const group of this.#groups.values()) group.failAll(stopping())
  }

  #groupOf(seriesKeys: readonly string[], mode: StreamMode): SubscriberGroup {
    const sorted = [...seriesKeys].sort()
    const identity = `${mode} ${sorted.join(',')}`
    let group = this.#groups.get(identity)
    if (group === undefined) {
      group = new SubscriberGroup(sorted, mode, this.#options.metrics)
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
