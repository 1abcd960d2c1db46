import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isInterval } from './bar.ts'
import { runCommand } from './control-body.ts'
import type { Exchange } from './exchange.ts'
import type { FaultCommands } from './fault-commands.ts'
import { oracleBars } from './oracle.ts'
import { answerRest, endpoints, weightOf } from './rest.ts'
import type { RestGate } from './rest-gate.ts'
import { statusOf } from './status.ts'

/** A command's body, bytes; more is refused. */
const bodyBytesMax = 65_536

interface Parts {
  readonly exchange: Exchange
  readonly gate: RestGate
  readonly commands: FaultCommands
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** REST, WebSocket and control on one port. Commands pass no gate: they are not the exchange's. */
export function createHttpServer(parts: Parts): Server {
  const server = createServer((request, response) => {
    answer(parts, request)
      .catch((error: unknown): Answer => {
        const { name, message } = error as Error
        const status = error instanceof RangeError ? 400 : 500
        return { status, body: JSON.stringify({ error: status === 400 ? message : `${name}: ${message}` }) }
      })
      .then(told => send(response, told))
  })
  server.on('upgrade', (request, socket, head) => parts.exchange.hub.accept(request, socket, head))
  return server
}

async function answer(parts: Parts, request: IncomingMessage): Promise<Answer> {
  const address = URL.parse(request.url ?? '/', 'http://exchange')
  if (!address) return { status: 400, body: '{}' }
  const { pathname, searchParams } = address
  if (pathname.startsWith('/control/')) return answerControl(parts, request, pathname.slice(9), searchParams)
  const endpoint = Object.hasOwn(endpoints, pathname) ? endpoints[pathname] : undefined
  if (!endpoint || request.method !== 'GET') return { status: 404, body: '{"code":-1000,"msg":"Not found."}' }
  const passage = parts.gate.pass(request.socket.remoteAddress ?? '', weightOf(endpoint, searchParams))
  const headers: Record<string, string> = { 'X-MBX-USED-WEIGHT-1M': String(passage.usedWeight) }
  if (passage.refusal) {
    const { status, retryAfterSec, body } = passage.refusal
    if (retryAfterSec !== undefined) headers['Retry-After'] = String(retryAfterSec)
    return { status, body, headers }
  }
  const factor = /^microsecond$/i.test(String(request.headers['x-mbx-time-unit'] ?? '')) ? 1000 : 1
  return { ...(await answerRest(parts.exchange, endpoint, searchParams, factor)), headers }
}

async function answerControl(
  { exchange, gate, commands }: Parts,
  request: IncomingMessage,
  name: string,
  params: URLSearchParams,
): Promise<Answer> {
  if (request.method === 'POST') {
    runCommand(commands, name, await readText(request))
    return { status: 200, body: '{}' }
  }
  if (name === 'status') return { status: 200, body: JSON.stringify(statusOf(exchange, commands, gate)) }
  if (name !== 'oracle') return { status: 404, body: '{"error":"GET: there are status and oracle"}' }
  const interval = params.get('interval') ?? '1m'
  if (!isInterval(interval)) throw new RangeError(`interval ${interval}: wanted 1s, 1m, 5m, 15m, 1h, 4h or 1d`)
  const tape = exchange.tape(params.get('symbol') ?? '')
  const [from, to] = [momentOf(params, 'from'), momentOf(params, 'to')]
  const question = { interval, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  return { status: 200, body: JSON.stringify(await oracleBars(tape, exchange.market.startTime, question)) }
}

function momentOf(params: URLSearchParams, name: string): number | undefined {
  const text = params.get(name)
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new RangeError(`${name} ${text}: wanted milliseconds since the epoch`)
  return Number(text)
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw new RangeError(`body: more than ${bodyBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json;charset=UTF-8' })
  response.end(body)
}
