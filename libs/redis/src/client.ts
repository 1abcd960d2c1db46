import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { masterConnector } from './master-connector.ts'
import { sentinelSource, slotSource } from './master-source.ts'
import { type ClusterAddress, type RedisAddress, redisAddressOf, tlsOptionsOf } from './redis-address.ts'
import { ServerConnector } from './server-connector.ts'
import { writeOncePerTurn } from './turn-writes.ts'

/** Where every connection to a Redis is made, whatever the form of its URL, and all that they have in common. */

/** Without replies in RESP3's shapes, which are no choice here. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

/**
 * A command without an answer after this long is given up, with its outcome unknown: every script of ours may be sent
 * again. Below a third of the shortest lease (1,500 ms) a stuck Redis would be noticed late; scripts take under 5 ms.
 */
export const COMMAND_TIMEOUT_MS = 1_000
/** A socket silent for so much longer than a command may take, while one waits, is half-open: reconnect. */
const HALF_OPEN_MS = 1_000
export const SOCKET_TIMEOUT_MS = COMMAND_TIMEOUT_MS + HALF_OPEN_MS
const CONNECT_TIMEOUT_MS = 3_000
/** Reconnect attempts come at least this often; a restarted Redis is back after some 250 ms. */
const RECONNECT_MAX_MS = 250
/** ioredis otherwise waits for the server's own guess of its loading time: 6.4 s instead of 1.1 s when measured. */
const LOADING_RETRY_MAX_MS = 200

/**
 * Redirections of one command in a cluster: to the new master, to where a slot is moving, and one more for a view that was old.
 * Past it the caller decides.
 */
const REDIRECTIONS_MAX = 5
/** A slot is moving and some of its keys have gone: Redis did nothing and asks to try again. */
const TRY_AGAIN_MS = 100
/** A node that does not tell the slots within this time is passed over. */
const SLOTS_TIMEOUT_MS = 1_000

/** Nothing is queued while disconnected and nothing is sent twice, so that a lost reply is the caller's to judge. */
export function failFast(commandTimeoutMs = COMMAND_TIMEOUT_MS) {
  return {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: commandTimeoutMs,
    socketTimeout: commandTimeoutMs + HALF_OPEN_MS,
  } satisfies ClientOptions
}

const retryDelayMs = (attempt: number) => Math.min(attempt * 25, RECONNECT_MAX_MS) * (0.75 + Math.random() / 2)

const EVERYWHERE = {
  Connector: ServerConnector,
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: retryDelayMs,
  maxLoadingRetryTime: LOADING_RETRY_MAX_MS,
} satisfies ClientOptions

/** The server is not, or no longer, the one to write to: a replica, another slot's, or a master that its replicas have left. */
const WRONG_SERVER = /^(READONLY|MOVED|CLUSTERDOWN|NOREPLICAS)/

/**
 * A client of the server that has `key`, for commands on keys of its slot alone: the one server, the master that Sentinel
 * names, or the master of the key's slot. When that changes it connects to the next.
 */
export function createClient(url: string, key: string, options: ClientOptions): Redis {
  const address = redisAddressOf(url)
  const all: ClientOptions = {
    ...EVERYWHERE,
    ...accessOf(address),
    // Reconnect (1), which finds the right one, and let the caller decide about the command (not 2, which sends it again).
    reconnectOnError: error => (WRONG_SERVER.test(error.message) ? 1 : false),
    ...options,
  }
  const redis = newClient(address, key, all)
  writeOncePerTurn(redis)
  return redis
}

function newClient(address: RedisAddress, key: string, all: ClientOptions): Redis {
  switch (address.kind) {
    case 'server':
      return new Redis({ ...all, host: address.host, port: address.port, db: address.db })
    case 'sentinel':
      return new Redis({ ...all, db: address.db, Connector: masterConnector(sentinelSource(address)) })
    case 'cluster':
      return new Redis({ ...all, Connector: masterConnector(slotSource(address, key)) })
  }
}

/**
 * A client of a whole cluster, for commands on any key, that fails fast as failFast says.
 *
 * What ioredis sends a second time by itself is only what Redis has refused: MOVED, ASK and TRYAGAIN. By default it would also send
 * what was under way when a connection was lost, and that may have run; `retryDelayOnFailover: 0` forbids it. CLUSTERDOWN
 * goes to the caller as well, who waits as for any other outage. A node that is
 * lost leaves the client, and the next MOVED or refresh tells who has its slots.
 */
export function createClusterClient(
  address: ClusterAddress,
  connectionName: string,
  commandTimeoutMs: number,
): Cluster {
  const { commandTimeout, socketTimeout } = failFast(commandTimeoutMs)
  const cluster = new Cluster([...address.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    scaleReads: 'master',
    maxRedirections: REDIRECTIONS_MAX,
    retryDelayOnMoved: 0,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: TRY_AGAIN_MS,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    clusterRetryStrategy: retryDelayMs,
    // Names stay names: a certificate is made out to them.
    dnsLookup: (name, callback) => callback(null, name),
    redisOptions: {
      ...EVERYWHERE,
      ...accessOf(address),
      connectionName,
      commandTimeout,
      socketTimeout,
    },
  })
  cluster.on('+node', writeOncePerTurn)
  return cluster
}

function accessOf(address: RedisAddress): ClientOptions {
  const { username, password } = address
  const tls = tlsOptionsOf(address)
  return { ...(username && { username }), ...(password && { password }), ...(tls && { tls }) }
}
