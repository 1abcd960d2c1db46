import { type LookupAddress, promises as systemDns } from 'node:dns'
import { isIP } from 'node:net'
import { type ChannelOptions, experimental, status } from '@grpc/grpc-js'
import { type EdgeAddress, type EdgeHost, parseEdgeAddress, textOfHost } from './edge-address.ts'

/**
 * Finds the edges behind an address for grpc-js. Its own resolver looks a name up again only when a connection breaks, so an edge that
 * joined would be called by nobody; and it takes one name only.
 */
const SCHEME = 'chart'

/** How often names are looked up: a new edge is known to every client after this long. 0.75 to 1.25 times it. */
const RESOLVE_EVERY_MS = 10_000
/** After a name could not be resolved. */
const RESOLVE_AGAIN_MS = 1_000
/** A connection that broke asks for a look at once; several in a row for no more than this. */
const RESOLVE_PAUSE_MS = 500
/** A name server of one's own is asked so often, and waited for so long each time. */
const NAME_SERVER = { timeout: 1_000, tries: 2 }

/** Channel option: RESOLVE_EVERY_MS of one channel. */
export const RESOLVE_EVERY_OPTION = 'chart.resolve_every_ms'

/** The target that grpc-js is given for an address. @throws TypeError when the address cannot be read */
export function targetOf(address: string): string {
  const { hosts, nameServer } = parseEdgeAddress(address)
  return `${SCHEME}://${nameServer ?? ''}/${hosts.map(textOfHost).join(',')}`
}

/** Looks the hosts of one channel up, again and again while the channel is in use. */
class EdgeResolver implements experimental.Resolver {
  readonly #address: EdgeAddress
  readonly #listener: experimental.ResolverListener
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined
  /** Counts up when the channel lets go, so that an answer under way is dropped. */
  #generation = 0
  #resolving = false
  #resolvedAt = Number.NEGATIVE_INFINITY
  /** What the channel was told last. */
  #told = ''

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#address = addressOf(target)
    this.#listener = listener
    this.#everyMs = options[RESOLVE_EVERY_OPTION] ?? RESOLVE_EVERY_MS
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return textOfHost(addressOf(target).hosts[0]!)
  }

  updateResolution(): void {
    if (this.#resolving) return
    clearTimeout(this.#timer)
    const sinceMs = performance.now() - this.#resolvedAt
    if (sinceMs < RESOLVE_PAUSE_MS) this.#resolveAfter(RESOLVE_PAUSE_MS - sinceMs)
    else void this.#resolve()
  }

  destroy(): void {
    this.#generation++
    this.#resolving = false
    this.#resolvedAt = Number.NEGATIVE_INFINITY
    this.#told = ''
    clearTimeout(this.#timer)
  }

  async #resolve(): Promise<void> {
    const generation = this.#generation
    this.#resolving = true
    const found = await endpointsOf(this.#address)
    if (generation !== this.#generation) return
    this.#resolving = false
    this.#resolvedAt = performance.now()
    this.#tell(found)
    if (this.#address.hosts.every(({ host }) => isIP(host) !== 0)) return
    this.#resolveAfter(found.error === undefined ? this.#everyMs * (0.75 + Math.random() / 2) : RESOLVE_AGAIN_MS)
  }

  #resolveAfter(ms: number): void {
    // The calls that wait keep the process, not this.
    this.#timer = setTimeout(() => void this.#resolve(), ms).unref()
  }

  /** Nothing when nothing changed: the balancer makes its list anew for each that it is told. */
  #tell({ hosts, error }: Found): void {
    const text = hosts.map(textOfHost).sort().join()
    if (error === undefined && text === this.#told) return
    if (error === undefined) this.#told = text
    const endpoints = hosts.map(host => ({ addresses: [host] }))
    this.#listener(
      error === undefined
        ? experimental.statusOrFromValue(endpoints)
        : experimental.statusOrFromError({ code: status.UNAVAILABLE, details: error }),
      {},
      null,
      '',
    )
  }
}

function addressOf({ authority, path }: experimental.GrpcUri): EdgeAddress {
  return parseEdgeAddress(`dns://${authority ?? ''}/${path}`)
}

interface Found {
  readonly hosts: readonly EdgeHost[]
  /** Set when there is no host at all. */
  readonly error?: string
}

/** Every address behind every host; hosts that cannot be resolved are left out while others can. */
async function endpointsOf({ hosts, nameServer }: EdgeAddress): Promise<Found> {
  const found = await Promise.allSettled(
    hosts.map(async ({ host, port }) => (await lookup(host, nameServer)).map(address => ({ host: address, port }))),
  )
  const reached = found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  if (reached.length > 0) return { hosts: reached }
  const reasons = found.flatMap(result => (result.status === 'rejected' ? [(result.reason as Error).message] : []))
  return { hosts: [], error: `no edge is known: ${reasons.join('; ') || 'the name has no address'}` }
}

async function lookup(host: string, nameServer: string | undefined): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
  if (nameServer === undefined) {
    const found: LookupAddress[] = await systemDns.lookup(host, { all: true })
    return found.map(({ address }) => address)
  }
  const resolver = new systemDns.Resolver(NAME_SERVER)
  resolver.setServers([nameServer])
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  if (four.status === 'rejected' && six.status === 'rejected') throw four.reason
  return [four, six].flatMap(result => (result.status === 'fulfilled' ? result.value : []))
}

experimental.registerResolver(SCHEME, EdgeResolver)
