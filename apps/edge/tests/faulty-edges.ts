import { setTimeout as sleep } from 'node:timers/promises'
import { openChartClient } from '@chart/client'
import type { Interval } from '@chart/market'
import { startTcpLink, type TcpLink } from '@chart/testkit'
import { openSlowLink, type SlowLink } from './slow-link.ts'
import { startEdge, type TestEdge } from './test-edge.ts'

const EDGES = 3
/** From one fault to the next. */
const PAUSE_MS_MAX = 150
/** Where in the bytes to a client its connection is cut. */
const CUT_BYTES_MAX = 20_000
/** Streams that an edge ends by their age come about as often as other faults. */
const STREAM_AGE_MS = 700
/** How much later an edge of another zone hears of everything. */
const LAG_MS = 15

interface FaultyEdge {
  edge: TestEdge
  readonly link: TcpLink
}

const FAULTS = ['cut', 'cut inside', 'stop', 'kill'] as const

/** Three edges of one service, each behind a link of its own; the last of them hears of everything later than the others. */
export class FaultyEdges implements AsyncDisposable {
  readonly counts = { cut: 0, 'cut inside': 0, stop: 0, kill: 0 }
  readonly #edges: FaultyEdge[]
  readonly #start: (number: number) => Promise<TestEdge>
  readonly #slowLink: SlowLink

  private constructor(edges: FaultyEdge[], start: (number: number) => Promise<TestEdge>, slowLink: SlowLink) {
    this.#edges = edges
    this.#start = start
    this.#slowLink = slowLink
  }

  static async start(options: {
    redisUrl: string
    databaseUrl: string
    intervals: readonly Interval[]
  }): Promise<FaultyEdges> {
    const slowLink = await openSlowLink(options.redisUrl, LAG_MS)
    const start = (number: number) =>
      startEdge({
        ...options,
        redisUrl: number === EDGES - 1 ? slowLink.url : options.redisUrl,
        limits: { streamAgeMs: STREAM_AGE_MS },
      })
    const edges: FaultyEdge[] = []
    for (let number = 0; number < EDGES; number++) {
      const edge = await start(number)
      edges.push({ edge, link: await startTcpLink(edge.port) })
    }
    return new FaultyEdges(edges, start, slowLink)
  }

  /** All of them, for a client. */
  get address(): string {
    return this.#edges.map(({ link }) => link.address).join(',')
  }

  /** Makes every edge look for symbols that it does not know yet: by itself it does so once a second. */
  async findSymbols(): Promise<void> {
    for (const { link } of this.#edges) {
      using client = openChartClient({ address: link.address })
      await client.symbols()
    }
  }

  /** Lets things go wrong, one after the other, until the signal aborts. */
  async run(random: () => number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(random() * PAUSE_MS_MAX)
      const number = Math.floor(random() * EDGES)
      const fault = FAULTS[Math.floor(random() * FAULTS.length)]!
      this.counts[fault]++
      await this.#make(fault, number, random)
    }
    for (const { link } of this.#edges) link.cutAfter(Number.POSITIVE_INFINITY)
  }

  async #make(fault: (typeof FAULTS)[number], number: number, random: () => number): Promise<void> {
    const { link } = this.#edges[number]!
    switch (fault) {
      case 'cut':
        link.cut()
        return
      case 'cut inside':
        link.cutAfter(Math.floor(random() * CUT_BYTES_MAX))
        return
      case 'stop':
        await this.#restart(number)
        return
      case 'kill':
        link.retarget(undefined)
        link.cut()
        await this.#restart(number)
        return
      default:
        throw fault satisfies never
    }
  }

  async #restart(number: number): Promise<void> {
    const one = this.#edges[number]!
    await one.edge[Symbol.asyncDispose]()
    one.edge = await this.#start(number)
    one.link.retarget(one.edge.port)
    // What still leads to the old one leads nowhere.
    one.link.cut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { edge, link } of this.#edges) {
      await link[Symbol.asyncDispose]()
      await edge[Symbol.asyncDispose]()
    }
    await this.#slowLink[Symbol.asyncDispose]()
  }
}
