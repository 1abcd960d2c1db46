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
import { type BarStream, barStreamOf } from './bar-stream.ts'
import { type CallEnd, type CallGuard, OPEN_GUARD } from './call-guard.ts'
import { type ConnectionEnd, ConnectionGate } from './connection-gate.ts'
import { guardCalls } from './guarded-call.ts'
import { HealthStatus } from './health-status.ts'
import type {
  GetLiveBarRequest,
  GetLiveBarResponse,
  ListBarsRequest,
  ListBarsResponse,
  ListSymbolsResponse,
  StreamBarsRequest,
} from './messages.ts'
import { reflectedDefinition, servedDefinition } from './proto.ts'
import { RpcError } from './rpc-error.ts'
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from './server-limits.ts'
import type { TlsMaterial } from './tls-material.ts'

export interface ChartHandlers {
  streamBars(request: StreamBarsRequest, stream: BarStream): Promise<void>
  getLiveBar(request: GetLiveBarRequest): Promise<GetLiveBarResponse>
  listBars(request: ListBarsRequest): Promise<ListBarsResponse>
  listSymbols(): Promise<ListSymbolsResponse>
}

export interface BarServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly handlers: ChartHandlers
  readonly limits?: Partial<ServerLimits>
  /** Without it connections are plain text. */
  readonly tls?: TlsMaterial | undefined
  /** Without it everybody may do everything. */
  readonly guard?: CallGuard
  /** Told of what goes wrong in us; the caller hears only that something did. */
  onError(error: unknown): void
  onCallEnd?(end: CallEnd): void
  /** A connection was refused or cut, and why. */
  onConnectionEnd?(peer: string, reason: ConnectionEnd, detail?: string): void
}

export interface BarServer extends AsyncDisposable {
  readonly port: number
  /** Open connections, also those that have not said anything yet. */
  readonly connections: number
  /** What grpc.health.v1 answers, for the server as a whole and for the chart service. */
  setServing(serving: boolean): void
  /** From the next connection on. @throws Error when it cannot be used; the former stays */
  updateTls(material: TlsMaterial): void
  /** Takes no new connections, and tells those that are there to make their next calls elsewhere. Open calls go on. */
  drain(): void
}

/** Calls still running this long after the server began to close are cut. */
const SHUTDOWN_GRACE_MS = 5_000
/** Whoever drains closes as well, sooner than this. */
const DRAIN_GRACE_MS = 60_000

/**
 * Serves ChartService, health and reflection.
 * @throws when the port is taken, naming it, or the TLS material cannot be used
 */
export async function serveBars(options: BarServerOptions): Promise<BarServer> {
  const { handlers, onError } = options
  const limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits }
  // Its troubles reach us as errors; a line of its own on standard error would stand beside ours.
  setLogVerbosity(logVerbosity.NONE)
  const gate = await ConnectionGate.open({
    host: options.host,
    port: options.port,
    limits,
    tls: options.tls,
    onConnection: socket => injector.injectConnection(socket),
    onEnd: (peer, reason, detail) => options.onConnectionEnd?.(peer, reason, detail),
    onError,
  })
  const guarding = guardCalls({
    guard: options.guard ?? OPEN_GUARD,
    gate,
    onError,
    onEnd: end => options.onCallEnd?.(end),
  })
  const server = new Server({ ...channelOptionsOf(limits), interceptors: [guarding] })
  const health = new HealthStatus(server)
  new ReflectionService(reflectedDefinition).addToServer(server)
  server.addService(servedDefinition(), {
    streamBars: (call: ServerWritableStream<StreamBarsRequest, Uint8Array>) => {
      const stream = barStreamOf(call, () => gate.cut(call.getPeer(), 'does not read'))
      attempt(() => handlers.streamBars(call.request, stream)).catch(error => stream.fail(rpcErrorOf(error, onError)))
    },
    getLiveBar: unary(handlers.getLiveBar, onError),
    listBars: unary(handlers.listBars, onError),
    listSymbols: unary(handlers.listSymbols, onError),
  })
  // TLS is the gate's: what comes here is plain, or is deciphered on the way.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const { port } = gate
  return {
    port,
    get connections() {
      return gate.connections
    },
    setServing: serving => health.setServing(serving),
    updateTls: material => gate.updateTls(material),
    drain() {
      gate.stopAccepting()
      injector.drain(DRAIN_GRACE_MS)
    },
    async [Symbol.asyncDispose]() {
      gate.stopAccepting()
      // Its own answer comes too early for connections that were injected, so the sockets are waited for; and they never end while
      // one call without end is open.
      server.tryShutdown(() => undefined)
      const force = setTimeout(() => gate.destroy(), SHUTDOWN_GRACE_MS)
      await gate.emptied()
      clearTimeout(force)
      gate.destroy()
    },
  }
}

function channelOptionsOf(limits: ServerLimits) {
  return {
    'grpc.max_receive_message_length': limits.receivedMessageBytesMax,
    'grpc.max_send_message_length': limits.sentMessageBytesMax,
    'grpc.max_concurrent_streams': limits.callsPerConnectionMax,
    'grpc-node.max_session_memory': limits.sessionMemoryMaxMb,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': limits.connectionAgeGraceMs,
    'grpc.max_connection_idle_ms': limits.connectionIdleMs,
  }
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>, onError: (error: unknown) => void) {
  return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
    attempt(() => handle(call.request)).then(
      response => answer(null, response),
      error => answer(rpcErrorOf(error, onError)),
    )
  }
}

/** What a handler throws before its first `await` is treated as what it throws later. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return work()
}

/** Documented errors go to the caller as they are; anything else is ours, is logged, and tells the caller nothing. */
function rpcErrorOf(error: unknown, onError: (error: unknown) => void): RpcError {
  if (error instanceof RpcError) return error
  onError(error)
  return new RpcError('UNAVAILABLE', 'the service cannot answer now; try again')
}
