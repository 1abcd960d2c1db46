import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation } from 'grpc-health-check'
import type {
  GetLiveBarRequest,
  GetLiveBarResponse,
  ListBarsRequest,
  ListBarsResponse,
  ListSymbolsResponse,
  StreamBarsRequest,
} from './messages.ts'
import { asBuffer, CHART_SERVICE, chartServiceDefinition, reflectedDefinition } from './proto.ts'
import { RpcError } from './rpc-error.ts'

/** One StreamBars call, seen from the server. */
export interface BarStream {
  /**
   * Sends ready bytes of a `StreamBarsResponse`. False when the client does not keep up: write no more until `onDrain`,
   * since grpc-js would keep everything in memory.
   */
  write(response: Uint8Array): boolean
  onDrain(listener: () => void): void
  /** Called once, however the call ends. */
  onClose(listener: () => void): void
  /** Ends the call. */
  fail(error: RpcError): void
}

export interface ChartHandlers {
  streamBars(request: StreamBarsRequest, stream: BarStream): Promise<void>
  getLiveBar(request: GetLiveBarRequest): Promise<GetLiveBarResponse>
  listBars(request: ListBarsRequest): Promise<ListBarsResponse>
  listSymbols(): Promise<ListSymbolsResponse>
}

export interface BarServer extends AsyncDisposable {
  readonly port: number
  /** What grpc.health.v1 answers, for the server as a whole and for the chart service. */
  setServing(serving: boolean): void
}

/** Requests are small: 200 symbols and a handful of intervals are under 4 KiB. */
const RECEIVED_BYTES_MAX = 64 * 1024
/** Calls that one connection may have at a time. */
const CONCURRENT_STREAMS_MAX = 100
/** grpc-js leaves it unlimited when absent. In MB, per connection. */
const SESSION_MEMORY_MAX_MB = 16
/** A client that is gone without a word is noticed after 30 s. */
const KEEPALIVE_MS = 20_000
const KEEPALIVE_TIMEOUT_MS = 10_000
/** Calls still running this long after the server began to stop are cut. */
const SHUTDOWN_GRACE_MS = 5_000

/**
 * Serves ChartService, health and reflection.
 * @param port 0 takes a free one
 * @throws when the port is taken, naming it
 */
export async function serveBars(options: {
  host: string
  port: number
  handlers: ChartHandlers
  onError(error: unknown): void
}): Promise<BarServer> {
  const { handlers, onError } = options
  // Its troubles reach us as errors; a line of its own on standard error would stand beside ours.
  setLogVerbosity(logVerbosity.NONE)
  const server = new Server({
    'grpc.max_receive_message_length': RECEIVED_BYTES_MAX,
    'grpc.max_concurrent_streams': CONCURRENT_STREAMS_MAX,
    'grpc-node.max_session_memory': SESSION_MEMORY_MAX_MB,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  })
  const health = new HealthImplementation({ '': 'NOT_SERVING', [CHART_SERVICE]: 'NOT_SERVING' })
  health.addToServer(server)
  new ReflectionService(reflectedDefinition).addToServer(server)
  server.addService(definitionWithReadyBytes(), {
    streamBars: (call: ServerWritableStream<StreamBarsRequest, Uint8Array>) => {
      const stream = streamOf(call)
      handlers.streamBars(call.request, stream).catch(error => stream.fail(rpcErrorOf(error, onError)))
    },
    getLiveBar: unary(handlers.getLiveBar, onError),
    listBars: unary(handlers.listBars, onError),
    listSymbols: unary(handlers.listSymbols, onError),
  })
  const port = await bind(server, options.host, options.port)
  return {
    port,
    setServing(serving) {
      health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING')
      health.setStatus(CHART_SERVICE, serving ? 'SERVING' : 'NOT_SERVING')
    },
    async [Symbol.asyncDispose]() {
      // tryShutdown alone never ends while one call without end is open.
      const force = setTimeout(() => server.forceShutdown(), SHUTDOWN_GRACE_MS)
      await new Promise<void>(resolve => server.tryShutdown(() => resolve()))
      clearTimeout(force)
    },
  }
}

/** The service with StreamBars' answers passed on as they are: they are bytes of the message already. */
function definitionWithReadyBytes() {
  const definition = { ...chartServiceDefinition }
  const streamBars = definition.StreamBars
  if (streamBars === undefined) throw new Error('chart.proto has no StreamBars')
  return { ...definition, StreamBars: { ...streamBars, responseSerialize: asBuffer } }
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>, onError: (error: unknown) => void) {
  return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
    handle(call.request).then(
      response => answer(null, response),
      error => answer(rpcErrorOf(error, onError)),
    )
  }
}

function streamOf(call: ServerWritableStream<StreamBarsRequest, Uint8Array>): BarStream {
  let closed = false
  const closeListeners: (() => void)[] = []
  const close = () => {
    if (closed) return
    closed = true
    for (const listener of closeListeners) listener()
  }
  call.on('cancelled', close)
  call.on('close', close)
  call.on('error', close)
  return {
    write: response => !closed && call.write(response),
    onDrain: listener => call.on('drain', listener),
    onClose(listener) {
      if (closed) listener()
      else closeListeners.push(listener)
    },
    fail(error) {
      if (closed) return
      call.emit('error', error)
      close()
    },
  }
}

/** Documented errors go to the caller as they are; anything else is ours, is logged, and tells the caller nothing. */
function rpcErrorOf(error: unknown, onError: (error: unknown) => void): RpcError {
  if (error instanceof RpcError) return error
  onError(error)
  return new RpcError('UNAVAILABLE', 'the service cannot answer now; try again')
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else {
        reject(
          new Error(`gRPC port ${host}:${port} cannot be used (${error.message}); set GRPC_PORT to a free one`, {
            cause: error,
          }),
        )
      }
    })
  })
}
