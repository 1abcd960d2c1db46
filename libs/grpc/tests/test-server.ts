import {
  type BarServer,
  type BarServerOptions,
  type BarStream,
  type CallEnd,
  type ConnectionEnd,
  encodeBar,
  frameBarEvent,
  serveBars,
} from '../src/index.ts'
import { DEFAULT_SERVER_LIMITS } from '../src/server-limits.ts'

/** A message of one event. */
export const MESSAGE = frameBarEvent(
  'update',
  encodeBar({
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime: 0,
    closeTime: 59_999,
    open: '1',
    high: '1',
    low: '1',
    close: '1',
    baseVolume: '1',
    quoteVolume: '1',
    takerBuyBaseVolume: '0',
    takerBuyQuoteVolume: '0',
    tradeCount: 1,
    firstTradeId: 1,
    lastTradeId: 1,
    state: 'live',
    revision: 0,
    complete: true,
  }),
  1,
)

export interface TestServer extends AsyncDisposable {
  readonly server: BarServer
  readonly address: string
  /** Every StreamBars call, in order; each has been written one message. */
  readonly streams: readonly BarStream[]
  readonly connectionEnds: readonly { peer: string; reason: ConnectionEnd; detail: string | undefined }[]
  readonly callEnds: readonly CallEnd[]
  readonly errors: readonly unknown[]
}

/** A server that answers everything with next to nothing. */
export async function startServer(options: Partial<BarServerOptions> = {}): Promise<TestServer> {
  const streams: BarStream[] = []
  const connectionEnds: { peer: string; reason: ConnectionEnd; detail: string | undefined }[] = []
  const callEnds: CallEnd[] = []
  const errors: unknown[] = []
  const server = await serveBars({
    host: '127.0.0.1',
    port: 0,
    handlers: {
      async streamBars(_, stream) {
        stream.write(MESSAGE)
        streams.push(stream)
      },
      getLiveBar: async () => {
        throw new TypeError('password 1234')
      },
      listBars: async () => ({ bars: [], nextPageToken: '' }),
      listSymbols: async () => ({ symbols: [] }),
    },
    onError: error => errors.push(error),
    onCallEnd: end => callEnds.push(end),
    onConnectionEnd: (peer, reason, detail) => connectionEnds.push({ peer, reason, detail }),
    ...options,
    limits: { ...DEFAULT_SERVER_LIMITS, ...options.limits },
  })
  return {
    server,
    address: `127.0.0.1:${server.port}`,
    streams,
    connectionEnds,
    callEnds,
    errors,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
