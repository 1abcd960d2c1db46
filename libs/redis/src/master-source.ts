import { Redis } from 'ioredis'
import type { MasterSource, MasterView } from './master-connector.ts'
import {
  type ClusterAddress,
  type Place,
  type RedisTlsFiles,
  type SentinelAddress,
  textOf,
  tlsOptionsOf,
} from './redis-address.ts'
import { ServerConnector } from './server-connector.ts'

/** One that does not answer within this time is passed over; it takes about 1 ms. */
const ASK_TIMEOUT_MS = 1_000

/** Sentinels name the master. */
export function sentinelSource(address: SentinelAddress): MasterSource {
  const access = {
    tls: tlsOptionsOf(address),
    username: address.sentinelUsername,
    password: address.sentinelPassword,
  }
  return {
    what: `the master ${address.master}`,
    witnesses: address.sentinels,
    ask: sentinel =>
      asking(sentinel, access, async redis => {
        const found = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', address.master)) as string[] | null
        const [host, port] = found ?? []
        if (!host) throw new Error(`it knows no master ${address.master}`)
        return { master: { host, port: Number(port) }, witnesses: address.sentinels }
      }),
  }
}

type SlotRange = [first: number, last: number, ...nodes: [host: string | null, port: number, ...unknown[]][]]

/** Nodes of a cluster name the master of the slot of `key`. */
export function slotSource(address: ClusterAddress, key: string): MasterSource {
  return {
    what: `the master of ${key}`,
    witnesses: address.nodes,
    ask: node =>
      asking(node, { ...address, tls: tlsOptionsOf(address) }, async redis => {
        const answers = await Promise.all([redis.call('CLUSTER', 'KEYSLOT', key), redis.call('CLUSTER', 'SLOTS')])
        const [slot, ranges] = answers as [number, SlotRange[]]
        // A node that does not know its own name answers without one.
        const placeOf = ([host, port]: SlotRange[2]): Place => ({ host: host || node.host, port })
        const range = ranges.find(([first, last]) => first <= slot && slot <= last)
        const nodes = new Map(ranges.flatMap(([, , ...of]) => of.map(placeOf)).map(one => [textOf(one), one]))
        return { master: range?.[2] && placeOf(range[2]), witnesses: [...nodes.values()] }
      }),
  }
}

/** Asks on a connection of its own, which is closed afterwards. */
async function asking(
  place: Place,
  {
    username,
    password,
    tls,
  }: { username?: string | undefined; password?: string | undefined; tls: RedisTlsFiles | undefined },
  ask: (redis: Redis) => Promise<MasterView>,
): Promise<MasterView> {
  const redis = new Redis({
    ...place,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    Connector: ServerConnector,
    connectionName: 'master-lookup',
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: ASK_TIMEOUT_MS,
    commandTimeout: ASK_TIMEOUT_MS,
  })
  let failure: Error | undefined
  redis.on('error', error => {
    failure = error
  })
  try {
    return await ask(redis)
  } catch (error) {
    throw failure ?? error
  } finally {
    redis.disconnect()
  }
}
