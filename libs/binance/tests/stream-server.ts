import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type WebSocket, WebSocketServer } from 'ws'

/** One client of the server below, and everything it has said. */
export interface Client {
  readonly socket: WebSocket
  readonly path: string
  readonly connectedAt: number
  readonly streams: Set<string>
  /** Arrival of every message, pongs included. */
  readonly messageTimes: number[]
  readonly frames: string[]
  closed: boolean
}

interface Request {
  method: string
  params: string[]
  id: number
}

/**
 * The exchange's side of the stream protocol over a real WebSocket server: SUBSCRIBE is answered, subscribed streams are sent.
 * What a test wants otherwise it says by `answer` and `accept`.
 */
export class StreamServer {
  readonly clients: Client[] = []
  /** What is answered to a SUBSCRIBE; undefined says nothing at all. */
  answer: (request: Request, client: Client) => object | undefined = request => ({ result: null, id: request.id })
  accept: (client: Client) => boolean = () => true
  readonly #http = createServer()
  readonly #server = new WebSocketServer({ server: this.#http })
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #timers: NodeJS.Timeout[] = []

  static async open(): Promise<StreamServer> {
    const server = new StreamServer()
    server.#server.on('connection', (socket, request) => server.#onConnection(socket, request.url ?? ''))
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  get openClients(): Client[] {
    return this.clients.filter(client => !client.closed)
  }

  /** Sends to everyone who has subscribed to the stream. */
  send(stream: string, data: object): void {
    for (const client of this.openClients) if (client.streams.has(stream)) this.sendTo(client, stream, data)
  }

  sendTo(client: Client, stream: string, data: object): void {
    client.socket.send(JSON.stringify({ stream, data }))
  }

  trade(symbol: string, tradeId: number, time: number): void {
    this.send(`${symbol.toLowerCase()}@trade`, tradeOf(symbol, tradeId, time))
  }

  pulse(time: number): void {
    this.send(PULSE_STREAM, pulseOf(time))
  }

  /** Runs `step` again and again, as a market that does not wait for anyone. */
  every(ms: number, step: () => void): () => void {
    const timer = setInterval(step, ms)
    this.#timers.push(timer)
    return () => clearInterval(timer)
  }

  /** Resolves as soon as the condition holds, looked at whenever a client came, said something or left. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#changes, 'change')
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const client of this.clients) client.socket.terminate()
    this.#server.close()
    this.#http.closeAllConnections()
    this.#http.close()
    await once(this.#http, 'close')
  }

  #onConnection(socket: WebSocket, path: string): void {
    const client: Client = {
      socket,
      path,
      connectedAt: performance.now(),
      streams: new Set(),
      messageTimes: [],
      frames: [],
      closed: false,
    }
    this.clients.push(client)
    socket.on('error', () => {})
    socket.on('close', () => {
      client.closed = true
      this.#changes.emit('change')
    })
    socket.on('pong', () => {
      client.messageTimes.push(performance.now())
      this.#changes.emit('change')
    })
    socket.on('message', data => this.#onMessage(client, String(data)))
    if (!this.accept(client)) socket.terminate()
    this.#changes.emit('change')
  }

  #onMessage(client: Client, frame: string): void {
    client.messageTimes.push(performance.now())
    client.frames.push(frame)
    const request: Request = JSON.parse(frame)
    const answer = this.answer(request, client)
    if (answer !== undefined) {
      if ('result' in answer) for (const stream of request.params) client.streams.add(stream)
      client.socket.send(JSON.stringify(answer))
    }
    this.#changes.emit('change')
  }
}

export const PULSE_STREAM = 'btcusdt@kline_1s'

export function pulseOf(time: number): object {
  return { e: 'kline', E: time, s: 'BTCUSDT', k: { t: time - (time % 1_000), i: '1s', x: false } }
}

export function tradeOf(symbol: string, tradeId: number, time: number): object {
  const [p, q] = ['61837.63000000', '0.02000000']
  return { e: 'trade', E: time + 1, s: symbol, t: tradeId, p, q, T: time, m: tradeId % 2 === 0, M: true }
}

/** Most messages within any second (half-open), as they arrived. */
export function mostWithinASecond(times: readonly number[]): number {
  return Math.max(0, ...times.map(start => times.filter(time => time >= start && time < start + 1_000).length))
}
