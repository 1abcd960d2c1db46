import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgres, listBars, type Postgres } from '@chart/postgres'
import type { ToldBars } from './told-bars.ts'
import { type Pause, Waiting } from './waiting.ts'

/** How exactly a pause is known; rows of seconds come once a second. */
const SAMPLE_MS = 100

export interface StorePulseOptions {
  readonly databaseUrl: string
  /** A busy symbol. */
  readonly symbol: string
  /** What a client was told: that should be stored. */
  readonly told: ToldBars
  /** Where pauses are noted. */
  readonly pauses: Pause[]
}

/** Tells for how long closed bars that clients know do not reach PostgreSQL. */
export class StorePulse implements AsyncDisposable {
  readonly #options: StorePulseOptions
  readonly #postgres: Postgres
  readonly #waiting: Waiting
  readonly #stop = new AbortController()
  readonly #work: Promise<void>

  constructor(options: StorePulseOptions) {
    this.#options = options
    this.#postgres = createPostgres({ url: options.databaseUrl, applicationName: 'chaos-pulse', poolMax: 1 })
    this.#waiting = new Waiting('rows', 'stored', options.pauses)
    this.#work = this.#keepLooking()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
    await this.#postgres[Symbol.asyncDispose]()
  }

  async #keepLooking(): Promise<void> {
    const { symbol, told } = this.#options
    const range = { symbol, interval: '1s', order: 'newest', limit: 1 } as const
    while (!this.#stop.signal.aborted) {
      this.#waiting.expect(Math.max(0, ...told.barsOf(symbol, '1s').keys()), performance.now())
      // A server that is away moves nothing: the pause goes on.
      const newest = await listBars(this.#postgres, range).catch(() => [])
      this.#waiting.reach(newest[0]?.openTime ?? 0, '', performance.now())
      await sleep(SAMPLE_MS)
    }
  }
}
