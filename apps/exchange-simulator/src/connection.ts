import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { answerRequest } from './stream-request.ts'
import { textFrames } from './text-frame.ts'

/** How the exchange treats a connection; its documented figures are the defaults in `options.ts`. */
export interface ConnectionLimits {
  readonly pingIntervalMs: number
  /** A connection that has not answered a ping for this long is dropped. */
  readonly pongTimeoutMs: number
  /** A connection is closed at this age. */
  readonly lifetimeMs: number
  /** Messages, pings and pongs of a client within one second; one more and it is disconnected. */
  readonly clientMessagesMax: number
  /** Bytes that wait for a client that does not read; past it the connection is dropped. */
  readonly sendBufferBytesMax: number
}

/** What a connection tells the hub. */
export interface ConnectionEvents {
  subscribed(connection: Connection, streams: readonly string[]): void
  unsubscribed(connection: Connection, streams: readonly string[]): void
  closed(connection: Connection): void
}

export interface ConnectionManner {
  readonly combined: boolean
  readonly microseconds: boolean
}

/** One client's WebSocket: its subscriptions, its heartbeat, its limits. */
export class Connection {
  readonly streams = new Set<string>()
  readonly microseconds: boolean
  combined: boolean
  /** While silent, nothing is sent: frames are lost, replies and server pings too. */
  #silentUntil = 0
  #answersPings = true
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #limits: ConnectionLimits
  readonly #events: ConnectionEvents
  readonly #timers: NodeJS.Timeout[]
  readonly #messageTimes: number[] = []
  #lastPongAt = performance.now()
  #pingPayload = ''

  constructor(
    webSocket: WebSocket,
    socket: Duplex,
    manner: ConnectionManner,
    limits: ConnectionLimits,
    events: ConnectionEvents,
  ) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.combined = manner.combined
    this.microseconds = manner.microseconds
    this.#limits = limits
    this.#events = events
    this.#timers = [
      setInterval(() => this.#heartbeat(), limits.pingIntervalMs),
      setTimeout(() => this.close(1008, 'connection has reached its age'), limits.lifetimeMs),
    ]
    webSocket.on('message', data => this.#onMessage(data.toString()))
    webSocket.on('ping', payload => this.#onPing(payload))
    webSocket.on('pong', payload => this.#onPong(payload.toString()))
    // A broken frame of the client's ends the connection by `close` as well; there is nothing more to do.
    webSocket.on('error', () => {})
    webSocket.on('close', () => {
      for (const timer of this.#timers) clearInterval(timer)
      this.#events.closed(this)
    })
  }

  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  /** Ready frames, shared with other connections. */
  send(frames: Buffer): void {
    if (!this.#canSend()) return
    this.#socket.write(frames)
    if (this.#socket.writableLength > this.#limits.sendBufferBytesMax) this.terminate()
  }

  /** Writes until `uncork` leave in one packet. */
  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  silence(ms: number, answersPings: boolean): void {
    this.#silentUntil = performance.now() + ms
    this.#answersPings = answersPings
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  get #silent(): boolean {
    return performance.now() < this.#silentUntil
  }

  #canSend(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN && !this.#silent
  }

  #heartbeat(): void {
    if (performance.now() - this.#lastPongAt > this.#limits.pongTimeoutMs) {
      this.terminate()
      return
    }
    if (!this.#canSend()) return
    this.#pingPayload = String(Date.now())
    this.#webSocket.ping(this.#pingPayload)
  }

  #onMessage(text: string): void {
    if (this.#countMessage()) return
    const outcome = answerRequest(text, this)
    if (outcome.combined !== undefined) this.combined = outcome.combined
    // The answer goes first: a client may rely on no event coming before it.
    if (this.#canSend()) this.#socket.write(textFrames([outcome.reply]))
    if (outcome.subscribe) this.#events.subscribed(this, outcome.subscribe)
    if (outcome.unsubscribe) this.#events.unsubscribed(this, outcome.unsubscribe)
  }

  #onPing(payload: Buffer): void {
    if (this.#countMessage()) return
    if (this.#silent ? this.#answersPings : this.#canSend()) this.#webSocket.pong(payload)
  }

  /** Only the answer to the newest ping keeps a connection; a pong of the client's own accord does not. */
  #onPong(payload: string): void {
    if (this.#countMessage()) return
    if (payload === this.#pingPayload) this.#lastPongAt = performance.now()
  }

  /** Whether this message was one too many; the connection is closed then. */
  #countMessage(): boolean {
    const now = performance.now()
    while (this.#messageTimes.length > 0 && now - this.#messageTimes[0]! >= 1000) this.#messageTimes.shift()
    if (this.#messageTimes.length >= this.#limits.clientMessagesMax) {
      this.close(1008, 'Too many requests')
      return true
    }
    this.#messageTimes.push(now)
    return false
  }
}
