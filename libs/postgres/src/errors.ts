/**
 * What PostgreSQL's troubles mean for a bar: is the bar at fault, or would the same bar be taken later? SQLSTATE decides
 * where there is one (classes: https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */

/** 22: the value does not fit its type. 23: it breaks a constraint. Trying again gives the same answer. */
const DATA_CLASSES = new Set(['22', '23'])

/** Ways in which a connection fails to come up or ends, as Node and its resolver name them. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** A certificate that has run out or is not trusted, and whatever else TLS stumbles over: bars wait until somebody has mended it. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|HOSTNAME_MISMATCH)/

/** pg gives these no code, only words. */
const NETWORK_WORDS =
  /^(Connection terminated|Query read timeout|timeout (exceeded|expired)|Client has encountered|The server does not support SSL|There was an error establishing an SSL)/

/** The bar itself cannot be stored; the message says why. */
export function isPostgresDataError(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && DATA_CLASSES.has(state.slice(0, 2))
}

/**
 * PostgreSQL cannot take anything now, whatever the bar: not reachable (08, 57P0x, the network), out of something (53),
 * in each other's way (40001, 40P01, 55P03), a time limit (57014), read-only after a failover (25006), a wrong password or
 * a missing right or table (28, 42). Some of it heals by itself and some needs a person; the bar waits either way.
 */
export function isPostgresDown(error: unknown): boolean {
  const state = sqlStateOf(error)
  if (state !== undefined) return !DATA_CLASSES.has(state.slice(0, 2))
  if (error instanceof PostgresUnavailableError) return true
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return (code !== undefined && (NETWORK_CODES.has(code) || TLS_CODES.test(code))) || NETWORK_WORDS.test(error.message)
}

/** PostgreSQL did not answer at start or in a readiness check; the message says which server and what to do. */
export class PostgresUnavailableError extends Error {
  override name = 'PostgresUnavailableError'
}

/** The five letters of SQLSTATE, or undefined for an error that does not come from the server. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error)) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** The reason in words. Where a name has two addresses (::1, 127.0.0.1) Node's error has no message, only its parts do. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
