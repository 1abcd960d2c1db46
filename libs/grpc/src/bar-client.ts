import { type ClientReadableStream, credentials, type ServiceError } from '@grpc/grpc-js'
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

/** A unary call without an answer after this long has failed. */
const DEADLINE_MS = 10_000

/** Credit that the server may send ahead: with the default of 64 KiB, 40 ms of distance cost a factor of 15. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024

/** Messages of our own server are bounded by its page size. */
const RECEIVED_BYTES_MAX = 16 * 1024 * 1024

/** A typed client of one edge address (`127.0.0.1:50051`, `dns:///edge:50051`). */
export interface BarClient extends Disposable {
  /** Every response of one call, until the signal aborts or the server ends it. Errors are those of grpc-js, with `code`. */
  streamBars(request: Partial<StreamBarsRequest>, signal: AbortSignal): AsyncIterable<StreamBarsResponse>
  getLiveBar(request: GetLiveBarRequest): Promise<GetLiveBarResponse>
  listBars(request: Partial<ListBarsRequest>): Promise<ListBarsResponse>
  listSymbols(): Promise<ListSymbolsResponse>
}

type UnaryMethod = (
  request: unknown,
  options: object,
  callback: (error: ServiceError | null, value: never) => void,
) => void

export function openBarClient(address: string): BarClient {
  const client = new ChartServiceClient(address, credentials.createInsecure(), {
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.max_receive_message_length': RECEIVED_BYTES_MAX,
  })
  function unary<Response>(method: string, request: unknown): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = client[method] as UnaryMethod
      call.call(client, request, { deadline: Date.now() + DEADLINE_MS }, (error, value) =>
        error === null ? resolve(value) : reject(error),
      )
    })
  }
  return {
    async *streamBars(request, signal) {
      const open = client.streamBars as (request: unknown) => ClientReadableStream<StreamBarsResponse>
      const call = open.call(client, request)
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        if (signal.aborted) return
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
    [Symbol.dispose]() {
      client.close()
    },
  }
}
