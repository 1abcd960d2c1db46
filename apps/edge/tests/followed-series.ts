import {
  type BarClient,
  type BarEventMessage,
  type BarGapMessage,
  barOfMessage,
  type SeriesPositionMessage,
  type StreamBarsRequest,
} from '@chart/grpc'
import type { BarText } from '@chart/market'
import { expect } from 'vitest'

export interface ClientEvent {
  readonly type: 'snapshot' | 'update' | 'closed' | 'corrected' | 'heartbeat'
  /** `SYMBOL interval`. */
  readonly key: string
  readonly bar: BarText
  readonly tradeTime: BarEventMessage['tradeTime']
}

/** A subscription in the hands of a test: what it has received so far, and a way to wait for more. */
export class Subscription implements AsyncDisposable {
  readonly events: ClientEvent[] = []
  readonly gaps: BarGapMessage[] = []
  /** Where the edge said last that the client stands. */
  positions: readonly SeriesPositionMessage[] = []
  /** Responses received: each was one write of the edge. */
  messages = 0
  error: { code: number; details: string } | undefined
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #changed = Promise.withResolvers<void>()
  #ended = false

  constructor(client: BarClient, request: Partial<StreamBarsRequest>) {
    this.#done = this.#run(client, request)
  }

  async #run(client: BarClient, request: Partial<StreamBarsRequest>): Promise<void> {
    try {
      for await (const response of client.streamBars(request, this.#stop.signal)) {
        this.messages++
        if (response.positions.length > 0) this.positions = response.positions
        for (const event of response.events) {
          if (event.gap !== null) this.gaps.push(event.gap)
          if (event.bar === null) continue
          const bar = barOfMessage(event.bar)
          const type = event.type.slice('BAR_EVENT_TYPE_'.length).toLowerCase() as ClientEvent['type']
          this.events.push({ type, key: `${bar.symbol} ${bar.interval}`, bar, tradeTime: event.tradeTime })
        }
        this.#wake()
      }
    } catch (error) {
      this.error = error as never
    }
    this.#ended = true
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  of(key: string): ClientEvent[] {
    return this.events.filter(event => event.key === key)
  }

  /** Resolves when `reached` holds; throws when the call ends before. */
  async until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      if (this.#ended) throw new Error(`the call ended: ${this.error?.details ?? 'without an error'}`)
      await this.#changed.promise
    }
  }

  /** Resolves when a live bar of the series holds this trade. */
  async untilTrade(key: string, tradeId: number): Promise<void> {
    await this.until(() => this.of(key).some(({ type, bar }) => type !== 'closed' && bar.lastTradeId >= tradeId))
  }

  async ended(): Promise<void> {
    await this.#done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#done
  }
}

/**
 * What one series must be to a client that wants every trade, in a market without late trades: a snapshot, then one update for each
 * later trade in id order, and every bar closed exactly once, before the next one begins.
 * @param closed every closed bar of the series
 */
export function checkSeries(events: readonly ClientEvent[], closed: readonly BarText[]): void {
  expect(events[0]?.type).toBe('snapshot')
  let live = events[0]!.bar
  const told: BarText[] = []
  for (const { type, bar } of events.slice(1)) {
    if (type === 'closed') {
      expect({ ...bar, state: 'live' }, 'the closed bar is the last live one').toEqual(live)
      told.push(bar)
      continue
    }
    expect(type).toBe('update')
    expect(bar.lastTradeId, 'the trade after the one before').toBe(live.lastTradeId + 1)
    if (bar.openTime > live.openTime) expect(told.at(-1)?.openTime, 'closed before the next').toBe(live.openTime)
    else expect(bar.openTime).toBe(live.openTime)
    live = bar
  }
  const first = events[0]!.bar.openTime
  expect(told).toEqual(closed.filter(bar => bar.openTime >= first).slice(0, told.length))
}
