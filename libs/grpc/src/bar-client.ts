import { type ClientReadableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { type ChannelSettings, channelCredentialsOf, channelOptionsOf, checkKeyIsSafe } from './edge-channel.ts'
import { targetOf } from './edge-resolver.ts'
import type {
  GetLiveBarRequest,
  GetLiveBarResponse,
  ListBarsRequest,
  ListBarsResponse,
  ListSymbolsResponse,
  StreamBarsRequest,
  StreamBarsResponse,
} from './messages.ts'
import { ChartServiceClient } from './proto.ts'
import { repeatCall } from './repeat-call.ts'

/** A unary call without an answer after this long has failed, however often it was made. */
const DEADLINE_MS = 10_000

/** How long a call may take that only asks why there is no connection: long enough for one that is refused to say so. */
const REASON_WITHIN_MS = 250

export interface BarClientOptions extends ChannelSettings {
  /** Calls wait for a connection (unary ones until their deadline) where they would otherwise fail while there is none. */
  readonly waitForReady?: boolean
  /** Of unary calls; 10 s when it is not said. */
  readonly deadlineMs?: number
}

/** A typed client of edges: of one address (`127.0.0.1:50051`), several (`a:1,b:2`), or all behind a name (`dns:///edge:50051`). */
export interface BarClient extends Disposable {
  /** Every response of one call, until the signal aborts or the server ends it. Errors are those of grpc-js, with `code`. */
  streamBars(
    request: Partial<StreamBarsRequest>,
    signal: AbortSignal,
    options?: Pick<BarClientOptions, 'waitForReady'>,
  ): AsyncIterable<StreamBarsResponse>
  getLiveBar(request: GetLiveBarRequest): Promise<GetLiveBarResponse>
  listBars(request: Partial<ListBarsRequest>): Promise<ListBarsResponse>
  listSymbols(): Promise<ListSymbolsResponse>
  /** Why no call gets through; undefined when one did, or when nothing is known. */
  connectionFailure(): Promise<string | undefined>
}

type UnaryMethod = (
  request: unknown,
  metadata: Metadata,
  options: object,
  callback: (error: ServiceError | null, value: never) => void,
) => void

/** @throws TypeError for an address that cannot be read, or a key that would be sent in plain text */
export function openBarClient(address: string, options: BarClientOptions = {}): BarClient {
  const { waitForReady = false, deadlineMs = DEADLINE_MS, apiKey } = options
  const target = targetOf(address)
  checkKeyIsSafe(address, options)
  const client = new ChartServiceClient(target, channelCredentialsOf(options), channelOptionsOf(options))
  function metadataOf(wait: boolean): Metadata {
    const metadata = new Metadata({ waitForReady: wait })
    if (apiKey !== undefined) metadata.set('authorization', `Bearer ${apiKey}`)
    return metadata
  }
  function unary<Response>(method: string, request: unknown): Promise<Response> {
    const call = client[method] as UnaryMethod
    const attempt = (withinMs: number) =>
      new Promise<Response>((resolve, reject) => {
        call.call(client, request, metadataOf(waitForReady), { deadline: Date.now() + withinMs }, (error, value) =>
          error === null ? resolve(value) : reject(error),
        )
      })
    const isRepeatable = (error: unknown) => rpcFailureOf(error)?.code === 'UNAVAILABLE'
    return repeatCall(attempt, { withinMs: deadlineMs, isRepeatable })
  }
  const bars: BarClient = {
    async *streamBars(request, signal, options = { waitForReady }) {
      if (signal.aborted) return
      const open = client.streamBars as (
        request: unknown,
        metadata: Metadata,
      ) => ClientReadableStream<StreamBarsResponse>
      const call = open.call(client, request, metadataOf(options.waitForReady ?? false))
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        for await (const response of call) yield response as StreamBarsResponse
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        signal.removeEventListener('abort', cancel)
        call.cancel()
      }
    },
    getLiveBar: request => unary('getLiveBar', request),
    listBars: request => unary('listBars', request),
    listSymbols: () => unary('listSymbols', {}),
    async connectionFailure() {
      // A unary call would be made again. An edge that is there refuses the empty request.
      const call = bars.streamBars({}, AbortSignal.timeout(REASON_WITHIN_MS), { waitForReady: false })
      const failure = await call[Symbol.asyncIterator]()
        .next()
        .then(
          () => undefined,
          error => rpcFailureOf(error),
        )
      return failure?.code === 'UNAVAILABLE' ? failure.details : undefined
    },
    [Symbol.dispose]() {
      client.close()
    },
  }
  return bars
}

/** How a call failed: its status code by name, and what the server (or grpc-js in its place) said. */
export interface RpcFailure {
  readonly code: keyof typeof status
  readonly details: string
}

/** What a rejected call says; undefined for an error that is none of a call. */
export function rpcFailureOf(error: unknown): RpcFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, details } = error as Partial<ServiceError>
  const name = code === undefined ? undefined : status[code]
  if (name === undefined) return undefined
  return { code: name as keyof typeof status, details: withoutLayers(details ?? error.message) }
}

/** grpc-js says for each of its layers that there is no connection: "round_robin: No connection established. Last error: …". */
function withoutLayers(details: string): string {
  return details
    .replace(/^(round_robin: )?(No connection established\. Last error: )+(Error: )?/, 'no connection: ')
    .replace(/\. Resolution note:\s*$/, '')
}
