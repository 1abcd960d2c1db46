import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { RedisTroubleError, RefusedRequest } from './refused-request.ts'
import { encodingFor, isKnown, type StaticFile } from './static-files.ts'
import type { ErrorAnswer } from './wire.ts'

/** Request line and headers together; those of a browser have 1 to 2 kB, the longest address of a stream has 0.8. */
const HEADER_BYTES_MAX = 8_192
const ADDRESS_LENGTH_MAX = 2_048

/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 10_000

/** A connection that asks nothing more is kept for as long as it takes to look at a chart and scroll. */
const IDLE_MS = 30_000

/** Who does not read an answer for this long has left, or keeps it in our memory on purpose. */
const UNREAD_MAX_MS = 30_000

/** A browser opens up to six connections to load a page; only one is kept with a stream. */
const CONNECTIONS_PER_PAGE = 2
const FURTHER_CONNECTIONS = 200

/** At a stop what is being answered may take this long. */
const CLOSE_MAX_MS = 3_000

/** Troubles of one kind are logged once in this time. */
const LOG_EVERY_MS = 10_000

/** Nothing but our own files, no frame, no form, no text made into elements: what a page that only draws needs. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const

/** Answers with a JSON text or with a text; or has answered by itself. */
export type Route = (
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<RouteAnswer | undefined>

export interface RouteAnswer {
  readonly body: string
  readonly type?: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number
  /** Takes no new connections. */
  stopListening(): void
}

export interface HttpServerOptions {
  readonly host: string
  readonly port: number
  readonly pagesMax: number
  /** By path; of other paths those of `files` are answered. */
  readonly routes: ReadonlyMap<string, Route>
  readonly files: ReadonlyMap<string, StaticFile>
  readonly slowPageMaxMs?: number
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * Serves routes and files: GET and HEAD only, everything else refused, all sizes and times bounded.
 * @throws when the port is taken, naming it
 */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, pagesMax, log } = options
  const answers = new Answers(options)
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => answers.answer(request, response),
  )
  server.timeout = options.slowPageMaxMs ?? UNREAD_MAX_MS
  server.maxConnections = pagesMax * CONNECTIONS_PER_PAGE + FURTHER_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use; set HTTP_PORT to a free one' : error.message
      reject(new Error(`HTTP port ${host}:${port} ${reason}`, { cause: error }))
    })
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  log.info({ port: bound }, 'HTTP listening')
  const closed = Promise.withResolvers<void>()
  server.on('close', () => closed.resolve())
  return {
    port: bound,
    stopListening: () => server.close(),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MAX_MS)
      await closed.promise
      clearTimeout(timer)
    },
  }
}

class Answers {
  readonly #options: HttpServerOptions
  #loggedTime = Number.NEGATIVE_INFINITY

  constructor(options: HttpServerOptions) {
    this.#options = options
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { metrics, routes, files } = this.#options
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s, 2)
    const route = routes.get(path)
    response.on('close', () => {
      const name = route !== undefined ? path : files.has(path) ? 'file' : 'other'
      metrics.requests.inc({ route: name, status: String(response.statusCode) })
    })
    response.on('error', () => undefined)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    this.#answer(request, response, path, query, route).catch(error => this.#fail(error, request, response))
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: string,
    route: Route | undefined,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new RefusedRequest(405, 'only GET and HEAD are answered')
    }
    // Of several requests at once each would have its answer, or its stream, wait in our memory for the one before.
    if (response.socket === null) {
      throw new RefusedRequest(400, 'a connection has one request at a time; wait for the answer before the next')
    }
    if ((request.url ?? '').length > ADDRESS_LENGTH_MAX) {
      throw new RefusedRequest(414, `the address has more than ${ADDRESS_LENGTH_MAX} characters`)
    }
    if (route === undefined) {
      const file = this.#options.files.get(path)
      if (file === undefined) throw new RefusedRequest(404, 'there is nothing at this address')
      sendFile(file, request, response)
      return
    }
    const answer = await route(new URLSearchParams(query), request, response)
    if (answer !== undefined) sendAnswer(answer, response)
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const refused = error instanceof RefusedRequest ? error : undefined
    if (refused === undefined || refused instanceof RedisTroubleError) this.#log(refused?.cause ?? error)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const { status = 500, message = 'this server has failed at that; its log says why' } = refused ?? {}
    // What is still to come of such a request is not read.
    if (status === 405 || status === 414 || response.socket === null) response.shouldKeepAlive = false
    const answer: ErrorAnswer = { error: message }
    sendAnswer({ body: JSON.stringify(answer), status, headers: headersOf(refused) }, response)
    request.resume()
  }

  #log(error: unknown): void {
    const now = performance.now()
    if (now - this.#loggedTime < LOG_EVERY_MS) return
    this.#loggedTime = now
    this.#options.log.warn({ err: error }, 'requests cannot be answered')
  }
}

/** Headers that belong to a refusal. */
export function headersOf(refused: RefusedRequest | undefined): Record<string, string> {
  return {
    ...(refused?.status === 405 && { allow: 'GET, HEAD' }),
    ...(refused?.retryAfter !== undefined && { 'retry-after': String(refused.retryAfter) }),
  }
}

function sendAnswer(answer: RouteAnswer, response: ServerResponse): void {
  response
    .writeHead(answer.status ?? 200, {
      'content-type': answer.type ?? 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(answer.body),
      ...answer.headers,
    })
    .end(answer.body)
}

function sendFile(file: StaticFile, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('etag', file.etag)
  response.setHeader('cache-control', file.cacheControl)
  response.setHeader('vary', 'accept-encoding')
  if (isKnown(file, request.headers['if-none-match'])) {
    response.writeHead(304).end()
    return
  }
  const encoding = encodingFor(file, String(request.headers['accept-encoding'] ?? ''))
  const body = file.bodies.get(encoding)!
  if (encoding !== 'identity') response.setHeader('content-encoding', encoding)
  response.writeHead(200, { 'content-type': file.type, 'content-length': body.length }).end(body)
}
