import { setTimeout as sleep } from 'node:timers/promises'
import { openBarClient } from '@chart/grpc'
import { newestTradeIds } from './exchange-status.ts'
import { type Pause, Waiting } from './waiting.ts'

/** How exactly the beginning of a pause is known. */
const EXCHANGE_SAMPLE_MS = 50
/** After a call that ended. */
const CALL_AGAIN_MS = 50

export interface ClientPulseOptions {
  /** Name and address of the edge. */
  readonly edge: { readonly name: string; readonly address: string }
  readonly exchangeUrl: string
  /** A busy symbol. */
  readonly symbol: string
  /** Where pauses are noted. */
  readonly pauses: Pause[]
}

/** A client of one edge that looks at one live bar, and tells for how long trades of the exchange do not reach it. */
export class ClientPulse implements AsyncDisposable {
  readonly #options: ClientPulseOptions
  readonly #waiting: Waiting
  readonly #stop = new AbortController()
  readonly #work: Promise<unknown>

  constructor(options: ClientPulseOptions) {
    this.#options = options
    this.#waiting = new Waiting(options.edge.name, 'told', options.pauses)
    this.#work = Promise.all([this.#keepExpecting(), this.#keepListening()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
  }

  async #keepExpecting(): Promise<void> {
    const { exchangeUrl, symbol } = this.#options
    while (!this.#stop.signal.aborted) {
      const newest = await newestTradeIds(exchangeUrl).catch(() => undefined)
      this.#waiting.expect(newest?.get(symbol) ?? 0, performance.now())
      await sleep(EXCHANGE_SAMPLE_MS)
    }
  }

  async #keepListening(): Promise<void> {
    const { edge, symbol } = this.#options
    const { signal } = this.#stop
    const request = { symbols: [symbol], intervals: ['1s'], mode: 'STREAM_MODE_LATEST' } as const
    while (!signal.aborted) {
      // A client of its own for each call: one that has failed to connect waits longer and longer before it tries again.
      using client = openBarClient(edge.address)
      try {
        for await (const { events } of client.streamBars(request, signal)) {
          const last = Math.max(-1, ...events.map(({ bar }) => bar?.lastTradeId ?? -1))
          this.#waiting.reach(last, edge.name, performance.now())
        }
      } catch {
        // The edge is away: the pause goes on.
      }
      await sleep(CALL_AGAIN_MS)
    }
  }
}
