import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { Connection, type ConnectionLimits } from './connection.ts'
import type { TimeFactor } from './frames.ts'
import { streamsMax, streamsOfUrl } from './stream-request.ts'
import { textFrames } from './text-frame.ts'

export interface HubLimits extends ConnectionLimits {
  /** Connections one address may open in five minutes; more are answered with 429. */
  readonly connectionsMax: number
}

const connectionWindowMs = 300_000
/** A client's message, bytes; `ws` closes the connection past it. A list of 1,024 streams fits. */
const clientMessageBytesMax = 65_536
/** Playing as fast as the sockets drain: what may wait in one before the next second is played. */
const drainedBytes = 1_048_576

/** All connections, and who of them wants which stream. */
export class StreamHub {
  readonly connections = new Set<Connection>()
  readonly #subscribers = new Map<string, Set<Connection>>()
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: clientMessageBytesMax,
  })
  readonly #limits: HubLimits
  readonly #onSubscribe: (stream: string) => void
  readonly #attempts = new Map<string, number[]>()
  #silence = { until: 0, answersPings: true }

  constructor(limits: HubLimits, onSubscribe: (stream: string) => void) {
    this.#limits = limits
    this.#onSubscribe = onSubscribe
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const asked = streamsOfUrl(request.url ?? '/')
    const refusal = this.#refusalOf(asked?.streams, request.socket.remoteAddress ?? '')
    if (!asked || refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      const connection = new Connection(webSocket, socket, asked, this.#limits, {
        subscribed: (subscriber, streams) => this.#subscribe(subscriber, streams),
        unsubscribed: (subscriber, streams) => this.#unsubscribe(subscriber, streams),
        closed: subscriber => {
          this.#unsubscribe(subscriber, [...subscriber.streams])
          this.connections.delete(subscriber)
        },
      })
      this.connections.add(connection)
      const silentMs = this.#silence.until - performance.now()
      if (silentMs > 0) connection.silence(silentMs, this.#silence.answersPings)
      this.#subscribe(connection, asked.streams)
    })
  }

  has(stream: string): boolean {
    return this.#subscribers.has(stream)
  }

  get streams(): Iterable<string> {
    return this.#subscribers.keys()
  }

  /** Sends the payloads that `render` makes, once for each time unit asked for, to all who want the stream. */
  publish(stream: string, render: (factor: TimeFactor) => readonly string[]): void {
    const subscribers = this.#subscribers.get(stream)
    if (subscribers) sendTo(subscribers, stream, render)
  }

  /** To all connections, whatever they want. */
  broadcast(stream: string, render: (factor: TimeFactor) => readonly string[]): void {
    sendTo(this.connections, stream, render)
  }

  /** What `send` publishes leaves each connection in one packet. */
  inOnePacket(send: () => void): void {
    for (const connection of this.connections) connection.cork()
    try {
      send()
    } finally {
      for (const connection of this.connections) connection.uncork()
    }
  }

  get drained(): boolean {
    for (const connection of this.connections) if (connection.waitingBytes > drainedBytes) return false
    return true
  }

  /** Sockets stay open and say nothing; `newOnesToo` is a dead exchange, without it only the present sockets are dead. */
  silence(ms: number, answersPings: boolean, newOnesToo: boolean): void {
    for (const connection of this.connections) connection.silence(ms, answersPings)
    if (newOnesToo) this.#silence = { until: performance.now() + ms, answersPings }
  }

  closeAll(code: number, reason: string): void {
    for (const connection of this.connections) connection.close(code, reason)
  }

  terminateAll(): void {
    for (const connection of this.connections) connection.terminate()
  }

  #subscribe(connection: Connection, streams: readonly string[]): void {
    for (const stream of streams) {
      connection.streams.add(stream)
      const subscribers = this.#subscribers.get(stream)
      if (subscribers) subscribers.add(connection)
      else this.#subscribers.set(stream, new Set([connection]))
      this.#onSubscribe(stream)
    }
  }

  #unsubscribe(connection: Connection, streams: readonly string[]): void {
    for (const stream of streams) {
      connection.streams.delete(stream)
      const subscribers = this.#subscribers.get(stream)
      subscribers?.delete(connection)
      if (subscribers?.size === 0) this.#subscribers.delete(stream)
    }
  }

  #refusalOf(streams: readonly string[] | undefined, address: string): string | undefined {
    if (!streams) return '404 Not Found'
    if (streams.length > streamsMax) return '400 Bad Request'
    return this.#countAttempt(address) ? undefined : '429 Too Many Requests'
  }

  /** Whether the address may open one more; attempts that were refused count as well. */
  #countAttempt(address: string): boolean {
    const now = performance.now()
    const recent = (this.#attempts.get(address) ?? []).filter(time => now - time < connectionWindowMs)
    // One more than allowed is enough to know, so an address costs no more memory than that.
    if (recent.length <= this.#limits.connectionsMax) recent.push(now)
    this.#attempts.set(address, recent)
    return recent.length <= this.#limits.connectionsMax
  }
}

function sendTo(
  connections: Iterable<Connection>,
  stream: string,
  render: (factor: TimeFactor) => readonly string[],
): void {
  const rendered: Partial<Record<TimeFactor, readonly string[]>> = {}
  const raw: Partial<Record<TimeFactor, Buffer>> = {}
  const combined: Partial<Record<TimeFactor, Buffer>> = {}
  for (const connection of connections) {
    const factor = connection.microseconds ? 1000 : 1
    rendered[factor] ??= render(factor)
    const payloads = rendered[factor]
    if (payloads.length === 0) continue
    if (connection.combined) {
      const prefix = `{"stream":${JSON.stringify(stream)},"data":`
      combined[factor] ??= textFrames(payloads.map(payload => `${prefix}${payload}}`))
      connection.send(combined[factor])
    } else {
      raw[factor] ??= textFrames(payloads)
      connection.send(raw[factor])
    }
  }
}
