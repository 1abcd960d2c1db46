import { performance } from 'node:perf_hooks'
import { type RawData, WebSocket } from 'ws'
import type { EventQueue } from './event-queue.ts'
import { type FeedLimits, PAYLOAD_BYTES_MAX, STREAMS_PER_SUBSCRIBE_MAX, SUBSCRIBE_TRIES_MAX } from './feed-limits.ts'
import type { Log } from './log.ts'
import { SlidingWindow } from './sliding-window.ts'
import { type FeedMessage, feedMessageOf } from './trade-message.ts'

export interface FeedSocketOptions {
  url: string
  streams: readonly string[]
  limits: FeedLimits
  log: Log
  random: () => number
  queue: Pick<EventQueue<never>, 'attach' | 'detach'>
  /** Every message but answers and shutdowns, which the socket keeps to itself. */
  onMessage(message: FeedMessage, frame: Buffer): void
  /** Before the message that proves it. */
  onLive(socket: FeedSocket): void
  /** After the last message. */
  onEnded(socket: FeedSocket, reason: string, wasLive: boolean): void
}

/**
 * What becomes of a connection, in this order; from each state it may go to `ended`:
 *
 * - `connecting`: no WebSocket yet.
 * - `subscribing`: some SUBSCRIBE is not sent or not answered; what is subscribed arrives already.
 * - `waiting`: everything is answered; no message with an event time since.
 * - `live`: such a message came: from here on nothing of what the exchange sends is missing.
 * - `ended`: closed by either side, or given up because of silence. It never comes back.
 */
export type FeedSocketState = 'connecting' | 'subscribing' | 'waiting' | 'live' | 'ended'

/** One connection with its subscriptions and its watchdog. Dials when constructed; `ended` resolves in every case. */
export class FeedSocket {
  /** Resolves to true when live, to false when it ended before. */
  readonly settled: Promise<boolean>
  /** Resolves when another socket should take over: it is old, the exchange has announced a shutdown, or it has ended. */
  readonly replaceDue: Promise<'age' | 'shutdown' | 'ended'>
  /** Resolves with the reason when nothing comes any more. */
  readonly ended: Promise<string>
  /** Highest event time heard here; 0 before the first. */
  reachedTime = 0

  readonly #options: FeedSocketOptions
  readonly #socket: WebSocket
  readonly #clientMessages = new SlidingWindow(CLIENT_MESSAGES_MAX, CLIENT_MESSAGES_WINDOW_MS)
  readonly #settle: (live: boolean) => void
  readonly #replace: (why: 'age' | 'shutdown' | 'ended') => void
  readonly #end: (reason: string) => void
  #state: FeedSocketState = 'connecting'
  #unsent: Subscribe[]
  readonly #unanswered = new Map<number, Subscribe & { sentAt: number }>()
  #lastId = 0
  #heardAt = 0
  #checkedAt = 0
  #waitingSince = 0
  #liveAt: number | undefined
  #paused = false
  #endReason: string | undefined
  readonly #connectTimer: NodeJS.Timeout
  #watchTimer: NodeJS.Timeout | undefined
  #sendTimer: NodeJS.Timeout | undefined
  #ageTimer: NodeJS.Timeout | undefined

  constructor(options: FeedSocketOptions) {
    const settled = Promise.withResolvers<boolean>()
    const replaceDue = Promise.withResolvers<'age' | 'shutdown' | 'ended'>()
    const ended = Promise.withResolvers<string>()
    this.settled = settled.promise
    this.replaceDue = replaceDue.promise
    this.ended = ended.promise
    this.#settle = settled.resolve
    this.#replace = replaceDue.resolve
    this.#end = ended.resolve
    this.#options = options
    this.#unsent = batchesOf(options.streams)
    this.#socket = new WebSocket(options.url, {
      maxPayload: PAYLOAD_BYTES_MAX,
      // Compression costs more than the bytes are worth: 200 bytes a frame, and a buffer for each connection.
      perMessageDeflate: false,
      // Safe since feedMessageOf looks at every byte of a trade and decodes everything else as UTF-8.
      skipUTF8Validation: true,
    })
    this.#socket.on('open', () => this.#onOpen())
    this.#socket.on('message', data => this.#onMessage(data))
    this.#socket.on('ping', () => this.#onPing())
    this.#socket.on('error', error => this.#noteEndReason(error.message))
    this.#socket.on('close', (code, reason) => this.#onClose(code, reason))
    const { connectMaxMs } = options.limits
    this.#connectTimer = setTimeout(() => this.close(`no connection within ${connectMaxMs} ms`), connectMaxMs)
    options.queue.attach(this)
  }

  get state(): FeedSocketState {
    return this.#state
  }

  /** How long it has been live, 0 when it never was. */
  get liveMs(): number {
    return this.#liveAt === undefined ? 0 : performance.now() - this.#liveAt
  }

  /** Ends the connection at once. There is nothing to say goodbye for, and a closing handshake can hang. */
  close(reason: string): void {
    this.#noteEndReason(reason)
    this.#socket.terminate()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  /** What lay in the kernel comes first, so the silence is counted from now. */
  resume(): void {
    this.#paused = false
    this.#heardAt = performance.now()
    this.#socket.resume()
  }

  #onOpen(): void {
    const { limits, random } = this.#options
    clearTimeout(this.#connectTimer)
    this.#state = 'subscribing'
    this.#heardAt = performance.now()
    this.#checkedAt = this.#heardAt
    if (this.#paused) this.#socket.pause()
    const ageMs = limits.ageMaxMs * (1 - AGE_JITTER * random())
    this.#ageTimer = setTimeout(() => this.#replace('age'), ageMs)
    this.#watchTimer = setInterval(() => this.#watch(), limits.silenceMaxMs / WATCHES_PER_SILENCE)
    this.#sendNext()
  }

  #onMessage(data: RawData): void {
    if (this.#state === 'ended') return
    // binaryType is nodebuffer, its default, so a message is always one Buffer.
    const frame = data as Buffer
    const message = feedMessageOf(frame)
    // Rubbish is no sign of life.
    if (message.kind !== 'malformed') this.#heardAt = performance.now()
    if (message.kind === 'answer') {
      this.#onAnswer(message.id, message.error)
      return
    }
    if (message.kind === 'shutdown') {
      this.#options.log.info({}, 'the exchange is going to end this connection')
      this.#replace('shutdown')
      return
    }
    if ('eventTime' in message) {
      if (message.eventTime > this.reachedTime) this.reachedTime = message.eventTime
      if (this.#state === 'waiting') {
        this.#state = 'live'
        this.#liveAt = this.#heardAt
        this.#options.onLive(this)
        this.#settle(true)
      }
    }
    this.#options.onMessage(message, frame)
  }

  /** ws answers pings by itself, with the same payload; the answer counts as a message of ours. */
  #onPing(): void {
    this.#clientMessages.spend(performance.now())
  }

  #sendNext(): void {
    if (this.#state === 'ended' || this.#unsent.length === 0) return
    const now = performance.now()
    const waitMs = this.#clientMessages.waitMs(now)
    if (waitMs <= 0) {
      const subscribe = this.#unsent.shift()!
      const id = ++this.#lastId
      this.#clientMessages.spend(now)
      this.#unanswered.set(id, { ...subscribe, tries: subscribe.tries + 1, sentAt: now })
      this.#socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: subscribe.streams, id }))
    }
    clearTimeout(this.#sendTimer)
    this.#sendTimer = setTimeout(() => this.#sendNext(), Math.max(waitMs, this.#options.limits.subscribeEveryMs))
  }

  #onAnswer(id: number | string | null, error: { code: number; msg: string } | undefined): void {
    const { log } = this.#options
    const subscribe = typeof id === 'number' ? this.#unanswered.get(id) : undefined
    if (subscribe === undefined) {
      if (error !== undefined) log.warn({ error }, 'the exchange complains about none of our requests in particular')
      return
    }
    this.#unanswered.delete(id as number)
    if (error !== undefined) {
      const { streams, tries } = subscribe
      const again = tries < SUBSCRIBE_TRIES_MAX
      log.warn({ error, tries, again, streams: streams.length, first: streams[0] }, 'the exchange refused a SUBSCRIBE')
      if (!again) {
        // Going on without these streams would pass them off as silent.
        this.close(`the exchange refused a SUBSCRIBE ${tries} times`)
        return
      }
      this.#unsent.push(subscribe)
      clearTimeout(this.#sendTimer)
      this.#sendTimer = setTimeout(() => this.#sendNext(), this.#options.limits.subscribeEveryMs)
    }
    if (this.#unsent.length === 0 && this.#unanswered.size === 0 && this.#state === 'subscribing') {
      this.#state = 'waiting'
      this.#waitingSince = performance.now()
    }
  }

  #watch(): void {
    const { limits } = this.#options
    const now = performance.now()
    // This check itself came late: we were not running, and what the exchange sent meanwhile is still to be read.
    const stalled = now - this.#checkedAt > limits.silenceMaxMs / 2
    this.#checkedAt = now
    if (stalled || this.#paused) return
    if (now - this.#heardAt >= limits.silenceMaxMs) {
      this.close(`no message for ${Math.round(now - this.#heardAt)} ms`)
    }
    if (this.#state === 'waiting' && now - this.#waitingSince >= limits.answerMaxMs) {
      this.close(`no message with an event time for ${limits.answerMaxMs} ms`)
    }
    for (const { sentAt } of this.#unanswered.values()) {
      if (now - sentAt >= limits.answerMaxMs) this.close(`no answer to a SUBSCRIBE for ${limits.answerMaxMs} ms`)
    }
  }

  /** The first reason is the cause; what follows is its effect. */
  #noteEndReason(reason: string): void {
    this.#endReason ??= reason
  }

  #onClose(code: number, reason: Buffer): void {
    const wasLive = this.#state === 'live'
    this.#state = 'ended'
    clearTimeout(this.#connectTimer)
    clearInterval(this.#watchTimer)
    clearTimeout(this.#sendTimer)
    clearTimeout(this.#ageTimer)
    this.#options.queue.detach(this)
    const text = reason.toString('utf8').slice(0, 100)
    this.#noteEndReason(`the exchange closed the connection (${code}${text && ` ${JSON.stringify(text)}`})`)
    this.#options.onEnded(this, this.#endReason!, wasLive)
    this.#settle(false)
    this.#replace('ended')
    this.#end(this.#endReason!)
  }
}

interface Subscribe {
  readonly streams: readonly string[]
  /** How often it was sent. */
  readonly tries: number
}

/** Sockets opened together do not come of age together. */
const AGE_JITTER = 0.1

/** How often within silenceMaxMs the watchdog looks: silence is found at most a sixth late. */
const WATCHES_PER_SILENCE = 6

/** The exchange's own limit, less one for a pong that is on its way. */
const CLIENT_MESSAGES_MAX = 4
const CLIENT_MESSAGES_WINDOW_MS = 1_100

function batchesOf(streams: readonly string[]): Subscribe[] {
  const batches: Subscribe[] = []
  for (let start = 0; start < streams.length; start += STREAMS_PER_SUBSCRIBE_MAX) {
    batches.push({ streams: streams.slice(start, start + STREAMS_PER_SUBSCRIBE_MAX), tries: 0 })
  }
  return batches
}
