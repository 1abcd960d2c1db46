import { readFileSync } from 'node:fs'

/** Host and port of one process. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Files of TLS as PEM: the issuers to trust instead of the world's, and what we show of ourselves. */
export interface RedisTlsFiles {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

interface Access {
  readonly tls: boolean
  readonly tlsFiles?: RedisTlsFiles
  readonly username?: string
  readonly password?: string
}

/** One server. */
export interface ServerAddress extends Access, Place {
  readonly kind: 'server'
  readonly db: number
}

/** A master that Sentinels name; its replicas take its place. */
export interface SentinelAddress extends Access {
  readonly kind: 'sentinel'
  readonly sentinels: readonly Place[]
  readonly master: string
  readonly db: number
  /** Of the Sentinels themselves; `username` and `password` are those of the servers that they watch. */
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
}

/** A cluster, known by some of its nodes. */
export interface ClusterAddress extends Access {
  readonly kind: 'cluster'
  readonly nodes: readonly Place[]
}

export type RedisAddress = ServerAddress | SentinelAddress | ClusterAddress

/** A URL that is none of the forms; the message says what is wrong and never holds a password. */
export class RedisAddressError extends Error {
  override name = 'RedisAddressError'
}

const REDIS_PORT = 6379
const SENTINEL_PORT = 26379

const FORMS =
  'redis://host:port, redis+sentinel://host:port,host:port/master-name or redis+cluster://host:port,host:port (rediss for TLS)'

/**
 * Reads the forms of a URL:
 *
 *     redis://[user:password@]host[:port][/db]
 *     redis+sentinel://[user:password@]host[:port],…/master-name[/db][?sentinelUsername=…&sentinelPassword=…]
 *     redis+cluster://[user:password@]host[:port],…
 *
 * each with `rediss` for TLS, and then with `?ca=FILE` where its issuer is not one that the world trusts, and `&cert=FILE&key=FILE` where
 * the server asks for a certificate of ours. User, password and parameters are percent-encoded.
 * @throws RedisAddressError
 */
export function redisAddressOf(url: string): RedisAddress {
  const match = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url)
  if (match === null) throw new RedisAddressError(`wanted ${FORMS}`)
  const [, scheme, form, user, hosts = '', path = '', query = ''] = match
  const segments = path === '' ? [] : path.split('/')
  const parameters = new URLSearchParams(query)
  const access = { tls: scheme === 'rediss', ...tlsFilesOf(parameters, scheme === 'rediss'), ...userOf(user) }
  switch (form) {
    case 'sentinel':
      return sentinelOf(access, placesOf(hosts, SENTINEL_PORT), segments, parameters)
    case 'cluster':
      if (segments.length > 0) throw new RedisAddressError('a cluster has no databases: nothing may follow its hosts')
      refuseParameters(parameters)
      return { kind: 'cluster', ...access, nodes: placesOf(hosts, REDIS_PORT) }
    default: {
      const [place, ...more] = placesOf(hosts, REDIS_PORT)
      if (more.length > 0) {
        throw new RedisAddressError('several hosts: say redis+sentinel:// or redis+cluster://, or name one host')
      }
      if (segments.length > 1) throw new RedisAddressError('only the number of a database may follow the host')
      refuseParameters(parameters)
      return { kind: 'server', ...access, ...place!, db: databaseOf(segments[0]) }
    }
  }
}

/** The same URL, once it is known to be of a form and its files can be read: what a config keeps. */
export function checkedRedisUrl(url: string): string {
  tlsOptionsOf(redisAddressOf(url))
  return url
}

/**
 * What node:tls wants for an address; undefined without TLS.
 * @throws RedisAddressError naming the file that cannot be read
 */
export function tlsOptionsOf({ tls, tlsFiles = {} }: Access): RedisTlsFiles | undefined {
  if (!tls) return undefined
  return Object.fromEntries(
    Object.entries(tlsFiles).map(([name, file]) => {
      try {
        return [name, readFileSync(file, 'utf8')]
      } catch (error) {
        throw new RedisAddressError(`?${name}=${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
      }
    }),
  )
}

const TLS_PARAMETERS = ['ca', 'cert', 'key'] as const

/** Takes its parameters out of those that are left. */
function tlsFilesOf(parameters: URLSearchParams, isTls: boolean): { tlsFiles?: RedisTlsFiles } {
  const found = TLS_PARAMETERS.flatMap(name => {
    const file = parameters.get(name)
    parameters.delete(name)
    return file === null ? [] : [[name, file] as const]
  })
  if (found.length === 0) return {}
  if (!isTls) throw new RedisAddressError(`?${found[0]![0]} goes with rediss, which is TLS`)
  const tlsFiles: RedisTlsFiles = Object.fromEntries(found)
  if ((tlsFiles.cert === undefined) !== (tlsFiles.key === undefined)) {
    throw new RedisAddressError('?cert and ?key belong together')
  }
  return { tlsFiles }
}

/** Hosts and ports of a URL, without its password. */
export function placeOf(url: string): string {
  const address = redisAddressOf(url)
  switch (address.kind) {
    case 'server':
      return textOf(address)
    case 'sentinel':
      return `${address.master} of Sentinels ${address.sentinels.map(textOf)}`
    case 'cluster':
      return `cluster ${address.nodes.map(textOf)}`
  }
}

/** The URL with stars for its passwords, for people to see. */
export function withoutRedisPassword(url: string): string {
  return url.replace(/^([^/]+:\/\/[^:@/]*):.*@/, '$1:***@').replace(/([?&]sentinelPassword=)[^&]*/, '$1***')
}

/** `host:port`, with brackets around IPv6. */
export function textOf({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function sentinelOf(
  access: Access,
  sentinels: readonly Place[],
  segments: readonly string[],
  parameters: URLSearchParams,
): SentinelAddress {
  const [master, db, ...more] = segments
  if (!master || more.length > 0) {
    throw new RedisAddressError('the name of the master, as Sentinel knows it, follows the hosts: /mymaster')
  }
  refuseParameters(parameters, ['sentinelUsername', 'sentinelPassword'])
  const sentinelUsername = parameters.get('sentinelUsername')
  const sentinelPassword = parameters.get('sentinelPassword')
  return {
    kind: 'sentinel',
    ...access,
    sentinels,
    master: decoded(master, 'the name of the master'),
    db: databaseOf(db),
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
  }
}

function userOf(user: string | undefined): { username?: string; password?: string } {
  if (user === undefined || user === '') return {}
  const colon = user.indexOf(':')
  const username = colon < 0 ? user : user.slice(0, colon)
  const password = colon < 0 ? '' : user.slice(colon + 1)
  return {
    ...(username !== '' && { username: decoded(username, 'the user') }),
    ...(password !== '' && { password: decoded(password, 'the password') }),
  }
}

function placesOf(hosts: string, defaultPort: number): Place[] {
  return hosts.split(',').map((text, index) => {
    const match = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim())
    const port = Number(match?.[3] ?? defaultPort)
    if (match === null || port < 1 || port > 65_535) {
      // Not repeated: where the @ was forgotten it is a password.
      throw new RedisAddressError(`host number ${index + 1} is not host:port; hosts are parted by commas`)
    }
    return { host: (match[1] ?? match[2])!, port }
  })
}

function databaseOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (!/^\d{1,5}$/.test(text)) throw new RedisAddressError('the database is not a number')
  return Number(text)
}

function refuseParameters(parameters: URLSearchParams, known: readonly string[] = []): void {
  const unknown = [...parameters.keys()].find(name => !known.includes(name))
  if (unknown === undefined) return
  throw new RedisAddressError(`?${unknown} is not known${known.length > 0 ? `; known are ${known.join(', ')}` : ''}`)
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RedisAddressError(`${what} is not percent-encoded rightly: a % is written %25`)
  }
}
