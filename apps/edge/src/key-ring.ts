import { apiKeyOf, isKeyId, isSecretOf, RpcError } from '@chart/grpc'

/** What a key is for: streams and live bars, or bars of the past. */
export const SCOPES = ['live', 'history'] as const
export type Scope = (typeof SCOPES)[number]

/** How much one caller may do, whether it is known by its key or by its address. */
export interface CallerLimits {
  /** StreamBars calls open at a time. */
  readonly streams: number
  /** In the long run; twice `streams` may come at once, so that all may come again when an edge goes. */
  readonly newStreamsPerSecond: number
  /** In the long run; ten seconds' worth may come at once. */
  readonly listBarsPerSecond: number
  /** Of the other methods; the same. */
  readonly callsPerSecond: number
}

export interface KeyEntry {
  readonly id: string
  /** SHA-256 of the secret, in hex. */
  readonly sha256: string
  readonly scopes: readonly Scope[]
  readonly limits: Partial<CallerLimits>
  /** When it ends, ms; undefined: never. */
  readonly expiryTime: number | undefined
}

/** Keys of one file. */
export const KEYS_MAX = 10_000
const LIMIT_MAX = 1_000_000
const LIMIT_NAMES = ['streams', 'newStreamsPerSecond', 'listBarsPerSecond', 'callsPerSecond'] as const

/** A file of keys that cannot be used; the message says where in it, and holds nothing of it but ids. */
export class KeyFileError extends Error {
  override name = 'KeyFileError'
}

/** Keys by id. */
export class KeyRing {
  readonly #entries: ReadonlyMap<string, KeyEntry>

  constructor(entries: readonly KeyEntry[]) {
    this.#entries = new Map(entries.map(entry => [entry.id, entry]))
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Whose call this is.
   * @param authorization the values of that metadata
   * @throws RpcError UNAUTHENTICATED, whose message never says whether an id is known
   */
  entryOf(authorization: readonly string[], now: number): KeyEntry {
    const [text, ...more] = authorization
    if (text === undefined) throw unauthenticated('metadata "authorization" is missing; send "Bearer ck_…"')
    const key = more.length > 0 ? undefined : apiKeyOf(text)
    if (key === undefined) throw unauthenticated('metadata "authorization" is not "Bearer ck_<id>_<secret>"')
    const entry = this.#entries.get(key.id)
    const isRight = isSecretOf(entry?.sha256, key.secret)
    if (entry === undefined || !isRight) throw unauthenticated('the API key is not known; ask for a new one')
    if (entry.expiryTime !== undefined && entry.expiryTime <= now) {
      throw unauthenticated(`the API key ${entry.id} has expired; ask for a new one`)
    }
    return entry
  }
}

function unauthenticated(message: string): RpcError {
  return new RpcError('UNAUTHENTICATED', message)
}

/**
 * Reads a file of keys: a JSON list of `{"id", "sha256", "scopes", "limits"?, "expires"?}`.
 * @throws KeyFileError
 */
export function keyRingOf(text: string): KeyRing {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    // The parser's own words repeat the text around the fault.
    throw new KeyFileError('it is not JSON')
  }
  if (!Array.isArray(list)) throw new KeyFileError('it is not a list of keys')
  if (list.length > KEYS_MAX) throw new KeyFileError(`it has ${list.length} keys; at most ${KEYS_MAX} are read`)
  const entries = list.map((item, index) => entryOf(item, `key number ${index + 1}`))
  const ids = new Set<string>()
  for (const { id } of entries) {
    if (ids.has(id)) throw new KeyFileError(`two keys have the id ${id}`)
    ids.add(id)
  }
  return new KeyRing(entries)
}

function entryOf(item: unknown, place: string): KeyEntry {
  const { id, sha256, scopes, limits, expires, ...rest } = recordOf(item, place)
  if (typeof id !== 'string' || !isKeyId(id)) throw new KeyFileError(`${place}: "id" is letters, digits and dashes`)
  const where = `${place} (${id})`
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new KeyFileError(`${where}: "sha256" is 64 hex digits, as npx chart key prints them`)
  }
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(scope => SCOPES.includes(scope))) {
    throw new KeyFileError(`${where}: "scopes" is a list of ${SCOPES.join(', ')}`)
  }
  const expiryTime = expires === undefined ? undefined : Date.parse(String(expires))
  if (Number.isNaN(expiryTime)) throw new KeyFileError(`${where}: "expires" is a time such as 2027-01-31T00:00:00Z`)
  refuseUnknown(rest, where)
  return { id, sha256, scopes, limits: limits === undefined ? {} : limitsOf(limits, where), expiryTime }
}

function limitsOf(item: unknown, where: string): Partial<CallerLimits> {
  const limits = recordOf(item, `${where}: "limits"`)
  for (const [name, value] of Object.entries(limits)) {
    if (!LIMIT_NAMES.includes(name as keyof CallerLimits)) {
      throw new KeyFileError(`${where}: a limit is one of ${LIMIT_NAMES.join(', ')}`)
    }
    if (typeof value !== 'number' || !(value >= 0 && value <= LIMIT_MAX)) {
      throw new KeyFileError(`${where}: ${name} is a number from 0 to ${LIMIT_MAX}`)
    }
  }
  return limits
}

/** A misspelt "expires" would give a key that never ends. */
function refuseUnknown(rest: object, where: string): void {
  const [name] = Object.keys(rest)
  if (name !== undefined) {
    throw new KeyFileError(`${where}: only id, sha256, scopes, limits and expires are known, and it has another field`)
  }
}

function recordOf(item: unknown, place: string): Record<string, unknown> {
  if (item === null || typeof item !== 'object' || Array.isArray(item)) throw new KeyFileError(`${place} is no object`)
  return item as Record<string, unknown>
}
