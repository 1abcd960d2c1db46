import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BarEventMessage,
  type BarServer,
  type BarServerOptions,
  type BarStream,
  type ChartHandlers,
  encodeResponse,
  messageOfBar,
  type RpcCode,
  RpcError,
  type SeriesPositionMessage,
  type StreamBarsRequest,
  serveBars,
  timestampOfTime,
} from '@chart/grpc'
import type { BarText } from '@chart/market'

const MINUTE_MS = 60_000

/** One StreamBars call as a scripted edge has it in hand. */
export class ScriptedCall {
  readonly request: StreamBarsRequest
  readonly stream: BarStream
  readonly closed = Promise.withResolvers<void>()
  isClosed = false

  constructor(request: StreamBarsRequest, stream: BarStream) {
    this.request = request
    this.stream = stream
    stream.onClose(() => {
      this.isClosed = true
      this.closed.resolve()
    })
  }

  /** One response with these events. False when the client does not keep up. */
  tell(events: readonly BarEventMessage[], positions: readonly SeriesPositionMessage[] = []): boolean {
    return this.stream.write(encodeResponse({ events, positions }))
  }

  fail(code: RpcCode, message = 'as the script says'): void {
    this.stream.fail(new RpcError(code, message))
  }
}

/** A server over real sockets whose answers a test makes itself. */
export class ScriptedEdge implements AsyncDisposable {
  readonly calls: ScriptedCall[] = []
  readonly #server: BarServer
  readonly #waiting: ((call: ScriptedCall) => void)[] = []

  private constructor(server: BarServer) {
    this.#server = server
  }

  /** @param onCall plays a call; without it the test takes it from `call()` */
  static async start(
    options: {
      onCall?: (call: ScriptedCall) => void
      handlers?: Partial<ChartHandlers>
      host?: string
      port?: number
      /** TLS, guard and the like. */
      server?: Partial<BarServerOptions>
    } = {},
  ): Promise<ScriptedEdge> {
    const refuse = () => Promise.reject(new RpcError('NOT_FOUND', 'not in the script'))
    let edge: ScriptedEdge
    const server = await serveBars({
      ...options.server,
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      handlers: {
        async streamBars(request, stream) {
          const call = new ScriptedCall(request, stream)
          edge.calls.push(call)
          options.onCall?.(call)
          edge.#waiting.shift()?.(call)
        },
        getLiveBar: refuse,
        listBars: refuse,
        listSymbols: async () => ({ symbols: [] }),
        ...options.handlers,
      },
      onError: error => {
        throw error
      },
    })
    edge = new ScriptedEdge(server)
    return edge
  }

  get port(): number {
    return this.#server.port
  }

  /** The next call to arrive. */
  call(): Promise<ScriptedCall> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const call of this.calls) call.fail('UNAVAILABLE', 'the test is over')
    await this.#server[Symbol.asyncDispose]()
  }
}

/** A minute of BTCUSDT. */
export function bar(minute: number, over: Partial<BarText> = {}): BarText {
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime: minute * MINUTE_MS,
    closeTime: (minute + 1) * MINUTE_MS - 1,
    open: '1.00000000',
    high: '1.00000000',
    low: '1.00000000',
    close: '1.00000000',
    baseVolume: '1.00000000',
    quoteVolume: '1.00000000',
    takerBuyBaseVolume: '0.00000000',
    takerBuyQuoteVolume: '0.00000000',
    tradeCount: 1,
    firstTradeId: minute * 100,
    lastTradeId: minute * 100,
    state: 'live',
    revision: 0,
    complete: true,
    ...over,
  }
}

const NOTHING = { bar: null, tradeTime: null, feed: null, gap: null, merged: 0 } as const

/** An event of a bar. */
export function eventOf(change: 'SNAPSHOT' | 'UPDATE' | 'CLOSED' | 'CORRECTED', one: BarText): BarEventMessage {
  return { ...NOTHING, type: `BAR_EVENT_TYPE_${change}`, bar: messageOfBar(one), tradeTime: timestampOfTime(1_234) }
}

export function snapshot(minute: number, lastTradeId = minute * 100): BarEventMessage {
  return eventOf('SNAPSHOT', bar(minute, { lastTradeId }))
}

export function update(minute: number, lastTradeId = minute * 100): BarEventMessage {
  return eventOf('UPDATE', bar(minute, { lastTradeId }))
}

export function closing(minute: number, lastTradeId = minute * 100): BarEventMessage {
  return eventOf('CLOSED', bar(minute, { state: 'closed', lastTradeId }))
}

export function correction(minute: number, revision: number): BarEventMessage {
  return eventOf('CORRECTED', bar(minute, { state: 'closed', lastTradeId: minute * 100 + 50, revision }))
}

export function heartbeat(symbol = 'BTCUSDT'): BarEventMessage {
  const feed = {
    symbol,
    state: 'FEED_STATE_STALE',
    lastTradeId: 7,
    lastTradeTime: timestampOfTime(1_000),
    watermark: timestampOfTime(2_000),
    age: timestampOfTime(1_500),
  }
  return { ...NOTHING, type: 'BAR_EVENT_TYPE_HEARTBEAT', feed }
}

export function gapOf(fromMinute: number, toMinute: number): BarEventMessage {
  const startTime = timestampOfTime(fromMinute * MINUTE_MS)
  const gap = { symbol: 'BTCUSDT', interval: '1m', startTime, endTime: timestampOfTime(toMinute * MINUTE_MS) }
  return { ...NOTHING, type: 'BAR_EVENT_TYPE_GAP', gap }
}

/** Where a reader of the minutes of BTCUSDT stands. */
export function positionAt(
  minute: number,
  state: 'LIVE' | 'CLOSED',
  lastTradeId = minute * 100,
): SeriesPositionMessage {
  const newest = {
    openTime: timestampOfTime(minute * MINUTE_MS),
    state: `BAR_STATE_${state}` as const,
    revision: 0,
    lastTradeId,
  }
  return { symbol: 'BTCUSDT', interval: '1m', newest, corrected: [] }
}

/** Rejects when nothing came within a time that is far beyond what is right. */
export async function soon<Value>(what: string, promise: Promise<Value>, ms = 20_000): Promise<Value> {
  const stop = new AbortController()
  const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`not within ${ms} ms: ${what}`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => undefined)
    stop.abort()
  }
}
