import { isSymbol } from '@chart/market'
import { type Backoff, RECONNECT_BACKOFF } from './backoff.ts'
import { EventQueue } from './event-queue.ts'
import { FeedGroup } from './feed-group.ts'
import { FEED_LIMITS, type FeedLimits, STREAMS_MAX } from './feed-limits.ts'
import { klineMessageOf, type StreamKline } from './kline-message.ts'
import { type Log, SILENT } from './log.ts'
import { SlidingWindow } from './sliding-window.ts'
import { MalformedMessageError } from './trade-message.ts'

export interface KlineFeedOptions {
  /** `wss://stream.binance.com:9443`, without a path. */
  streamUrl: string
  symbols: readonly string[]
  signal: AbortSignal
  log?: Log
  /** 0 ≤ r < 1, for jitter. */
  random?: () => number
  /** For tests, which have no time; see feed-limits.ts. */
  limits?: Partial<FeedLimits>
  backoff?: Backoff
}

/**
 * As for trades, except for silence: a kline is told at least when its minute closes, so half a minute over that is a dead socket. What
 * is lost meanwhile is asked for nowhere, and needs no haste. Klines come every two seconds at most, so few wait.
 */
const KLINE_LIMITS: FeedLimits = {
  ...FEED_LIMITS,
  silenceMaxMs: 90_000,
  answerMaxMs: 90_000,
  connectionsMax: 30,
  eventsWaitingMax: 5_000,
}

/**
 * The closed 1m klines of `symbols` as the exchange tells them, with their trade ids. Each step of the iteration gives everything that
 * arrived since the last. It reconnects by itself for ever; klines of a time without a connection do not come. It ends when the signal
 * is aborted or the consumer breaks off; by then every socket is closed.
 * @throws RangeError for something that is no symbol
 */
export function openKlineFeed(options: KlineFeedOptions): AsyncIterable<readonly StreamKline[]> {
  const symbols = [...new Set(options.symbols)]
  for (const symbol of symbols) if (!isSymbol(symbol)) throw new RangeError(`"${symbol}" is not a symbol`)
  return readFeed({ ...options, symbols })
}

async function* readFeed(options: KlineFeedOptions): AsyncGenerator<readonly StreamKline[], void, undefined> {
  const limits: FeedLimits = { ...KLINE_LIMITS, ...options.limits }
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const queue = new EventQueue<StreamKline>(limits.eventsWaitingMax)
  const running = Promise.all(groupsOf(options, limits, queue).map(group => group.run(signal)))
  // A group ends before the signal only by a mistake of ours; the others must not go on without it.
  running.catch(() => stop.abort())
  try {
    for (;;) {
      const klines = await queue.takeAll(signal)
      if (klines === undefined) return
      yield klines
    }
  } finally {
    stop.abort()
    await running
  }
}

function groupsOf(options: KlineFeedOptions, limits: FeedLimits, queue: EventQueue<StreamKline>): FeedGroup[] {
  const { symbols, log = SILENT } = options
  const wanted = new Set(symbols)
  const dials = new SlidingWindow(limits.connectionsMax, limits.connectionsWindowMs)
  const groups: FeedGroup[] = []
  for (let start = 0; start < symbols.length; start += STREAMS_MAX) {
    const streams = symbols.slice(start, start + STREAMS_MAX).map(symbol => `${symbol.toLowerCase()}@kline_1m`)
    const group = new FeedGroup({
      url: `${options.streamUrl.replace(/\/+$/, '')}/stream`,
      streams,
      limits,
      backoff: options.backoff ?? RECONNECT_BACKOFF,
      dials,
      queue,
      log,
      random: options.random ?? Math.random,
      onMessage(message, frame) {
        // A kline is a pulse to the socket, which only looks for the time.
        const kline = message.kind === 'pulse' ? klineIfReadable(frame, log) : undefined
        if (kline?.closed && kline.interval === '1m' && wanted.has(kline.symbol)) queue.push(kline)
      },
      onUp: () => undefined,
      onDown: reason => log.info({ reason }, 'klines are not heard for now'),
    })
    groups.push(group)
  }
  return groups
}

/** One that cannot be read is one that was not heard. */
function klineIfReadable(frame: Buffer, log: Log): StreamKline | undefined {
  try {
    return klineMessageOf(frame)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    log.warn({ reason: error.message }, 'a kline that makes no sense is passed over')
    return undefined
  }
}
