import { EventEmitter, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'

/** A request as it came. */
export interface Asked {
  readonly path: string
  readonly query: Record<string, string>
  readonly time: number
}

/** What to answer: a body, or a status with one, or nothing yet (the test answers by hand). */
export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON. */
  body?: unknown
}

/** An HTTP server that answers as the test says and remembers what it was asked. */
export class RestServer {
  readonly asked: Asked[] = []
  answer: (asked: Asked, response: ServerResponse) => Answer | undefined = () => ({ status: 404 })
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    const asked = { path: url.pathname, query: Object.fromEntries(url.searchParams), time: performance.now() }
    this.asked.push(asked)
    const answer = this.answer(asked, response)
    if (answer !== undefined) {
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(body)
    }
    this.#changes.emit('asked')
  })

  static async open(): Promise<RestServer> {
    const server = new RestServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves once so many requests have come. */
  async untilAsked(count: number): Promise<void> {
    while (this.asked.length < count) await once(this.#changes, 'asked')
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A row of historicalTrades. */
export function rowOf(id: number): Record<string, unknown> {
  return {
    id,
    price: '67774.00000000',
    qty: '0.00008000',
    quoteQty: '5.42192000',
    time: 1_775_571_561_875 + id,
    isBuyerMaker: id % 2 === 0,
    isBestMatch: true,
  }
}

export function blankedRowOf(id: number): Record<string, unknown> {
  return { ...rowOf(id), price: '0.00000000', qty: '0.00000000', quoteQty: '0.00000000' }
}
