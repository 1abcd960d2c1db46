import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '@chart/grpc'
import { ConfigError, type EnvReader } from '@chart/service'
import type { CallerLimits } from './key-ring.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  /** With it every client must show a certificate of one of these issuers. */
  readonly clientCa: string | undefined
}

/** Who may connect and call, and how much. */
export interface AccessConfig {
  readonly tlsFiles: TlsFiles | undefined
  /** Undefined: no keys are asked for, and callers are told apart by address. */
  readonly apiKeysFile: string | undefined
  /** What is better not left so, for the log. */
  readonly warnings: readonly string[]
  readonly serverLimits: ServerLimits
  readonly callerLimits: CallerLimits
  readonly streamsMax: number
}

const CALLER_LIMITS: CallerLimits = {
  streams: 1_000,
  // All of a caller's streams are open again after ten seconds even when their first tokens are gone.
  newStreamsPerSecond: 100,
  // A page of 1,000 bars costs PostgreSQL and us some 10 ms.
  listBarsPerSecond: 100,
  callsPerSecond: 200,
}

/** At 10,000 streams of the latest only, an edge is busy with them alone. */
const STREAMS_MAX = 10_000

/** A stream lives up to 1.2 times its age; a connection that is to be closed waits for longer than that. */
const STREAM_AGES = 1.5

const COUNT = { min: 1, max: 1_000_000 }
const MINUTES = { min: 1_000, max: 7 * 24 * 60 * 60_000 }
const BYTES = { min: 1_024, max: 64 * 1024 * 1024 }

/** @param streamAgeMs how long a stream lives at most, about */
export function readAccessConfig(env: EnvReader, grpcHost: string, streamAgeMs: number): AccessConfig {
  const tlsFiles = readTlsFiles(env)
  const auth = env.choice('AUTH', 'auto', ['auto', 'on', 'off'])
  const file = env.text('API_KEYS_FILE', '') || undefined
  const isLocal = isLoopback(grpcHost)
  const isOn = auth === 'on' || (auth === 'auto' && !isLocal)
  if (isOn && file === undefined) {
    throw new ConfigError(
      `API keys are asked for (${auth === 'on' ? 'AUTH=on' : `GRPC_HOST ${grpcHost} can be reached by others`}), ` +
        'so set API_KEYS_FILE to a file with lines of "npx chart key ID", or AUTH=off where everybody may do everything',
    )
  }
  const warnings = [
    ...(isOn && !isLocal && tlsFiles === undefined
      ? ['API keys go over plain text; set GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE']
      : []),
    ...(!isOn && !isLocal ? ['AUTH=off: everybody who can connect may do everything'] : []),
    ...(!isOn && file !== undefined ? ['API_KEYS_FILE is not used, since AUTH is off; AUTH=on asks for keys'] : []),
  ]
  return {
    tlsFiles,
    apiKeysFile: isOn ? file : undefined,
    warnings,
    serverLimits: readServerLimits(env, streamAgeMs),
    callerLimits: {
      streams: env.integer('STREAMS_PER_KEY', CALLER_LIMITS.streams, COUNT),
      newStreamsPerSecond: env.integer('NEW_STREAMS_PER_SECOND', CALLER_LIMITS.newStreamsPerSecond, COUNT),
      listBarsPerSecond: env.integer('LIST_BARS_PER_SECOND', CALLER_LIMITS.listBarsPerSecond, COUNT),
      callsPerSecond: env.integer('CALLS_PER_SECOND', CALLER_LIMITS.callsPerSecond, COUNT),
    },
    streamsMax: env.integer('STREAMS_MAX', STREAMS_MAX, COUNT),
  }
}

function readTlsFiles(env: EnvReader): TlsFiles | undefined {
  const cert = env.text('GRPC_TLS_CERT_FILE', '') || undefined
  const key = env.text('GRPC_TLS_KEY_FILE', '') || undefined
  const clientCa = env.text('GRPC_TLS_CLIENT_CA_FILE', '') || undefined
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa }
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined
  throw new ConfigError('GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together; set both, or none for plain text')
}

function readServerLimits(env: EnvReader, streamAgeMs: number): ServerLimits {
  const limits = DEFAULT_SERVER_LIMITS
  const perSecond = env.integer('GRPC_ADDRESS_RATE', limits.addressRate.perSecond, COUNT)
  const { burst } = limits.addressRate
  return {
    ...limits,
    connectionsMax: env.integer('GRPC_CONNECTIONS_MAX', limits.connectionsMax, COUNT),
    connectionsPerAddressMax: env.integer('GRPC_CONNECTIONS_PER_ADDRESS', limits.connectionsPerAddressMax, COUNT),
    addressRate: { perSecond, burst: env.integer('GRPC_ADDRESS_BURST', Math.max(burst, perSecond), COUNT) },
    establishTimeoutMs: env.integer('GRPC_ESTABLISH_TIMEOUT_MS', limits.establishTimeoutMs, { min: 100, max: 60_000 }),
    receivedMessageBytesMax: env.integer('GRPC_REQUEST_BYTES_MAX', limits.receivedMessageBytesMax, BYTES),
    callsPerConnectionMax: env.integer('GRPC_CALLS_PER_CONNECTION', limits.callsPerConnectionMax, COUNT),
    connectionAgeGraceMs: Math.max(limits.connectionAgeGraceMs, STREAM_AGES * streamAgeMs),
    connectionAgeMs: env.integer('GRPC_CONNECTION_AGE_MS', limits.connectionAgeMs, MINUTES),
    connectionIdleMs: env.integer('GRPC_CONNECTION_IDLE_MS', limits.connectionIdleMs, MINUTES),
  }
}

/** Reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
