import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import { isLoopback, parseEdgeAddress } from './edge-address.ts'
import { RESOLVE_EVERY_OPTION } from './edge-resolver.ts'

/** TLS to the edges; everything left out is the system's. Keys and certificates are PEM. */
export interface TlsOptions {
  /** Certificates of the authorities that are believed. */
  readonly ca?: string | Uint8Array
  /** The client's own certificate and its key, where the edge asks for one. */
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  /** The name that the edge's certificate must have, when it is not that of the address. */
  readonly serverName?: string
}

export interface ChannelSettings {
  /** TLS; without it calls are in plain text. `true`: with the system's authorities. */
  readonly tls?: TlsOptions | boolean
  /** Sent with every call. */
  readonly apiKey?: string
  /** Send the key in plain text to other machines too. */
  readonly allowKeyInPlainText?: boolean
  /** How often names are looked up; 10 s when it is not said. */
  readonly resolveEveryMs?: number
}

/** Credit that the server may send ahead: with the default of 64 KiB, 40 ms of distance cost a factor of 15. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024

/** Messages of our own server are bounded by its page size. */
const RECEIVED_BYTES_MAX = 16 * 1024 * 1024

/** An edge that is gone without a word is noticed after 25 s. */
const KEEPALIVE_MS = 20_000
const KEEPALIVE_TIMEOUT_MS = 5_000

/** An edge that could not be connected to is tried again after this long, then longer and longer. */
const RECONNECT_MS = 250
const RECONNECT_MAX_MS = 5_000

/** Calls go to the connected edges in turn. */
const SERVICE_CONFIG = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] })

export function channelOptionsOf({ tls, resolveEveryMs }: ChannelSettings): ChannelOptions {
  const serverName = typeof tls === 'object' ? tls.serverName : undefined
  return {
    'grpc.service_config': SERVICE_CONFIG,
    // Ours are repeat-call's: those of grpc-js do not repeat a call whose answer broke off.
    'grpc.enable_retries': 0,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.max_receive_message_length': RECEIVED_BYTES_MAX,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    // Clients do not share connections: an edge bounds the calls of each, and one that waits to connect again would hold up others.
    'grpc.use_local_subchannel_pool': 1,
    ...(serverName !== undefined && {
      'grpc.ssl_target_name_override': serverName,
      'grpc.default_authority': serverName,
    }),
    ...(resolveEveryMs !== undefined && { [RESOLVE_EVERY_OPTION]: resolveEveryMs }),
  }
}

export function channelCredentialsOf({ tls }: ChannelSettings): ChannelCredentials {
  if (tls === undefined || tls === false) return credentials.createInsecure()
  const { ca, cert, key } = tls === true ? {} : tls
  if ((cert === undefined) !== (key === undefined)) throw new TypeError('tls.cert and tls.key go together: give both')
  return credentials.createSsl(pemOf(ca), pemOf(key), pemOf(cert))
}

function pemOf(pem: string | Uint8Array | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem)
}

/** @throws TypeError when the API key would go over a network in plain text */
export function checkKeyIsSafe(address: string, { tls, apiKey, allowKeyInPlainText }: ChannelSettings): void {
  if (apiKey === undefined || allowKeyInPlainText === true) return
  if ((tls !== undefined && tls !== false) || isLoopback(parseEdgeAddress(address))) return
  throw new TypeError(
    `the API key would be sent to ${address} in plain text; use TLS, or allowKeyInPlainText in a network that nobody reads`,
  )
}
