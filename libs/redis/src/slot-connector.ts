import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import { type ClusterAddress, type Place, textOf } from './redis-address.ts'

/** A node of a cluster that does not say within this time who has a slot is passed over; it takes about 1 ms. */
const LOOKUP_TIMEOUT_MS = 1_000
/** Pause after all nodes were asked in vain, growing by attempt. */
const LOOKUP_RETRY_MS = 50
const LOOKUP_RETRY_MAX_MS = 250
/** A socket that does not end when it is asked to is destroyed after this long. */
const DISCONNECT_TIMEOUT_MS = 500

type NetStream = ReturnType<typeof connectTcp> | ReturnType<typeof connectTls>

/**
 * For connections whose commands all go to one slot of a cluster: a waiting reader, a subscription, a lock, a queue. Each time
 * that a connection is made it asks the cluster who the master of `key` is, as Sentinel is asked by ioredis' own connector. So
 * such a connection is an ordinary `Redis` with one socket, where a `Cluster` would hold one to each node, and the settings of
 * a single Redis hold for it word for word.
 */
export function slotConnector(address: ClusterAddress, key: string): new (options: unknown) => AbstractConnector {
  return class SlotConnector extends AbstractConnector {
    readonly #options: RedisOptions
    #nodes: readonly Place[] = address.nodes
    #last: Place | undefined

    constructor(options: unknown) {
      super(DISCONNECT_TIMEOUT_MS)
      this.#options = options as RedisOptions
    }

    /** A node that has just become a replica is left again. */
    override check(info: { role?: string }): boolean {
      return info.role === undefined || info.role === 'master'
    }

    override async connect(emit: (type: string, error: Error) => void): Promise<NetStream> {
      this.connecting = true
      for (let attempt = 1; ; attempt++) {
        const master = await this.#findMaster(emit)
        // Closed meanwhile. ioredis takes this error for the end of the connection.
        if (!this.connecting) throw new Error('Connection is closed.')
        if (master !== undefined) return this.#dial(master)
        await sleep(Math.min(attempt * LOOKUP_RETRY_MS, LOOKUP_RETRY_MAX_MS))
      }
    }

    #dial(master: Place): NetStream {
      this.#last = master
      const { tls } = this.#options
      const stream = tls ? connectTls({ ...master, ...tls }) : connectTcp({ ...master })
      stream.once('error', (error: Error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }

    async #findMaster(emit: (type: string, error: Error) => void): Promise<Place | undefined> {
      let reason = 'none has it'
      for (const node of this.#inOrder()) {
        if (!this.connecting) return undefined
        try {
          const { master, nodes } = await askNode(node, key, this.#options)
          this.#nodes = nodes
          if (master !== undefined) return master
        } catch (error) {
          reason = `${textOf(node)}: ${(error as Error).message}`
        }
      }
      // The addresses that were given are tried again as well: everything known since may have moved.
      this.#nodes = [...this.#nodes, ...address.nodes.filter(node => !this.#nodes.some(one => isSame(one, node)))]
      emit('error', new Error(`no node of the cluster names the master of ${key}: ${reason}`))
      return undefined
    }

    /** In random order; the one whose connection was lost last, since it may hang. */
    #inOrder(): Place[] {
      const last = this.#last
      const shuffled = this.#nodes.map(node => ({ node, at: isSame(node, last) ? 1 : Math.random() }))
      return shuffled.sort((a, b) => a.at - b.at).map(({ node }) => node)
    }
  }
}

type SlotRange = [first: number, last: number, ...nodes: [host: string | null, port: number, ...unknown[]][]]

/** What `node` believes: who is the master of `key`, and which nodes there are. */
async function askNode(
  node: Place,
  key: string,
  { username, password, tls }: RedisOptions,
): Promise<{ master: Place | undefined; nodes: Place[] }> {
  const redis = new Redis({
    ...node,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    connectionName: 'slot-lookup',
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: LOOKUP_TIMEOUT_MS,
    commandTimeout: LOOKUP_TIMEOUT_MS,
  })
  let failure: Error | undefined
  redis.on('error', error => {
    failure = error
  })
  try {
    const [slot, ranges] = (await Promise.all([redis.cluster('KEYSLOT', key), redis.cluster('SLOTS')])) as [
      number,
      SlotRange[],
    ]
    const placeOf = ([host, port]: [string | null, number, ...unknown[]]): Place => ({ host: host || node.host, port })
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)
    const nodes = new Map(ranges.flatMap(([, , ...of]) => of.map(placeOf)).map(one => [textOf(one), one]))
    return { master: range?.[2] && placeOf(range[2]), nodes: [...nodes.values()] }
  } catch (error) {
    throw failure ?? error
  } finally {
    redis.disconnect()
  }
}

function isSame(one: Place, other: Place | undefined): boolean {
  return one.host === other?.host && one.port === other.port
}
