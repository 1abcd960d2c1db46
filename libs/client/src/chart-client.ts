import {
  type BarClient,
  barOfMessage,
  type ListBarsRequest,
  openBarClient,
  type StreamBarsRequest,
  type TlsOptions,
  timestampOfTime,
} from '@chart/grpc'
import type { BarText } from '@chart/market'
import { chartErrorOf } from './chart-error.ts'
import {
  type ChartEvent,
  type Feed,
  type Gap,
  type StreamedBar,
  type SymbolInfo,
  symbolOfMessage,
} from './chart-event.ts'
import { ownedStream } from './owned-stream.ts'
import { type Reconnect, resumingStream } from './resuming-stream.ts'
import { StreamProgress } from './stream-progress.ts'

/** Where an edge listens that was started on this machine. */
const DEFAULT_ADDRESS = '127.0.0.1:50051'

/** How long to try an address where no edge has answered yet. */
const CONNECT_WITHIN_MS = 10_000

/** Largest page of an edge. */
const PAGE_SIZE_MAX = 1_000

/** A moment: milliseconds since the epoch, or a Date. */
export type Time = number | Date

export interface ChartClientOptions {
  /**
   * Edges: `127.0.0.1:50051` (the default), several as `a:50051,b:50051`, all behind a name as `dns:///edge:50051`, or the same by a
   * name server as `dns://10.0.0.10:53/edge:50051`. Calls go to all of them in turn.
   */
  readonly address?: string
  /** TLS; without it calls are in plain text. `true`: with the system's authorities. */
  readonly tls?: TlsOptions | boolean
  /** Sent with every call; in plain text to this machine only, or with allowKeyInPlainText. */
  readonly apiKey?: string
  /** Send the key in plain text to other machines too: in a network that nobody else reads. */
  readonly allowKeyInPlainText?: boolean
  /** How long a stream tries to reach an edge for the first time (10 s); once it did, it tries for ever. 0: fail at once, also single calls. */
  readonly connectWithinMs?: number
  /** How long a single call may take (10 s). */
  readonly deadlineMs?: number
  /** How often the address's names are looked up, so that new edges get calls (10 s). */
  readonly resolveEveryMs?: number
}

export interface EventsOptions {
  /** Upper case, "BTCUSDT". */
  readonly symbols: readonly string[]
  /** "1m" */
  readonly intervals: readonly string[]
  /** First all closed bars that open at or after it; without it the stream begins with the live bars. */
  readonly since?: Time
  /** `every-trade` (the default), `latest` (the newest live bar; changes in between are left out) or `closed` (closed and corrected bars). */
  readonly mode?: 'every-trade' | 'latest' | 'closed'
  /** Live bars of each series in a second, at most; makes the mode `latest` when none is given. */
  readonly maxUpdatesPerSecond?: number
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal
  /** An edge that says nothing for this long is left for another (30 s; edges say something every 5 s). */
  readonly silenceMaxMs?: number
  /** A call ended, and another will go on where it stopped. */
  readonly onReconnect?: (reconnect: Reconnect) => void
}

export interface BarsOptions extends EventsOptions {
  /** How the feed of a symbol is: every few seconds. */
  readonly onFeed?: (feed: Feed) => void
  /** Closed bars that are kept nowhere are passed over. */
  readonly onGap?: (gap: Gap) => void
}

export interface ListBarsOptions {
  readonly symbol: string
  readonly interval: string
  /** Bars that open at or after it; without it from the first. */
  readonly startTime?: Time
  /** Bars that open before it; without it up to the last. */
  readonly endTime?: Time
  readonly order?: 'oldest-first' | 'newest-first'
  /** Also the live bar, where range and order reach it. */
  readonly includeLive?: boolean
  /** 1 to 1000. */
  readonly pageSize?: number
}

export interface BarsPage {
  readonly bars: readonly BarText[]
  /** Gives the next page; undefined on the last one. */
  readonly nextPageToken: string | undefined
}

/** Calls of the chart service. Failed ones throw ChartError. Bars are in the form of BarText: times in ms, decimals as text. */
export interface ChartClient extends Disposable, AsyncDisposable {
  /** As it was given. */
  readonly address: string
  /** Bars as they change, for ever: in order, each version once, over reconnects and changes of the edge. */
  bars(options: BarsOptions): AsyncGenerator<StreamedBar, void, undefined>
  /** The same with everything else that a stream tells. */
  events(options: EventsOptions): AsyncGenerator<ChartEvent, void, undefined>
  /** Closed bars, page after page. */
  listBars(options: ListBarsOptions): AsyncGenerator<BarText, void, undefined>
  listBarsPage(options: ListBarsOptions & { readonly pageToken?: string | undefined }): Promise<BarsPage>
  /** The live bar as it is now; NOT_FOUND also when the symbol had no trade yet. */
  liveBar(symbol: string, interval: string): Promise<BarText>
  /** What is served, and how each feed is. */
  symbols(): Promise<SymbolInfo[]>
}

/** @throws TypeError for an address that cannot be read, or an API key that would be sent in plain text over a network */
export function openChartClient(options: ChartClientOptions = {}): ChartClient {
  const { address = DEFAULT_ADDRESS, connectWithinMs = CONNECT_WITHIN_MS, ...settings } = options
  const client = openBarClient(address, { ...settings, waitForReady: connectWithinMs > 0 })
  const closed = new AbortController()
  const answer = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (error) {
      throw chartErrorOf(error, address)
    }
  }
  const chart: ChartClient = {
    address,
    events: stream =>
      ownedStream([closed.signal, stream.signal], signal =>
        eventsOf(client, { ...stream, address, connectWithinMs, signal }),
      ),
    bars: stream =>
      ownedStream([closed.signal, stream.signal], signal =>
        barsOf(eventsOf(client, { ...stream, address, connectWithinMs, signal }), stream),
      ),
    async *listBars(list) {
      let pageToken: string | undefined
      do {
        const page = await chart.listBarsPage({ pageSize: PAGE_SIZE_MAX, ...list, pageToken })
        yield* page.bars
        pageToken = page.nextPageToken
      } while (pageToken !== undefined)
    },
    async listBarsPage(list) {
      const page = await answer(client.listBars(listRequestOf(list)))
      return { bars: page.bars.map(barOfMessage), nextPageToken: page.nextPageToken || undefined }
    },
    liveBar: async (symbol, interval) => barOfMessage((await answer(client.getLiveBar({ symbol, interval }))).bar),
    symbols: async () => (await answer(client.listSymbols())).symbols.map(symbolOfMessage),
    [Symbol.dispose]() {
      closed.abort()
      client[Symbol.dispose]()
    },
    async [Symbol.asyncDispose]() {
      chart[Symbol.dispose]()
    },
  }
  return chart
}

/** Bars as they change, by a client of their own that is closed with the stream. */
export function bars(options: BarsOptions & ChartClientOptions): AsyncGenerator<StreamedBar, void, undefined> {
  return ownedStream([options.signal], async function* (signal) {
    using client = openChartClient(options)
    yield* client.bars({ ...options, signal })
  })
}

const MODES = {
  'every-trade': 'STREAM_MODE_EVERY_TRADE',
  latest: 'STREAM_MODE_LATEST',
  closed: 'STREAM_MODE_CLOSED',
} as const satisfies Record<string, StreamBarsRequest['mode']>

function eventsOf(
  client: BarClient,
  options: EventsOptions & { address: string; connectWithinMs: number; signal: AbortSignal },
): AsyncGenerator<ChartEvent, void, undefined> {
  const { symbols, intervals, mode, maxUpdatesPerSecond = 0, since } = options
  const sinceTime = since === undefined ? undefined : Number(since)
  return resumingStream({
    ...options,
    client,
    request: {
      symbols,
      intervals,
      mode: mode === undefined ? 'STREAM_MODE_UNSPECIFIED' : MODES[mode],
      maxUpdatesPerSecond,
    },
    progress: new StreamProgress({ symbols, intervals, sinceTime }),
  })
}

async function* barsOf(
  events: AsyncGenerator<ChartEvent, void, undefined>,
  { onFeed, onGap }: BarsOptions,
): AsyncGenerator<StreamedBar, void, undefined> {
  for await (const event of events) {
    if (event.event === 'heartbeat') onFeed?.(event.feed)
    else if (event.event === 'gap') onGap?.(event.gap)
    else yield event.bar
  }
}

function listRequestOf(list: ListBarsOptions & { pageToken?: string | undefined }): Partial<ListBarsRequest> {
  const { symbol, interval, startTime, endTime, order, includeLive = false, pageSize = 0, pageToken = '' } = list
  return {
    symbol,
    interval,
    startTime: startTime === undefined ? null : timestampOfTime(Number(startTime)),
    endTime: endTime === undefined ? null : timestampOfTime(Number(endTime)),
    order: order === 'newest-first' ? 'BAR_ORDER_NEWEST_FIRST' : 'BAR_ORDER_OLDEST_FIRST',
    includeLive,
    pageSize,
    pageToken,
  }
}
