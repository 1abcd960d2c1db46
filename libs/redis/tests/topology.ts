import { type RedisServer, startRedis, startRedisCluster, startRedisSentinel } from '@chart/servers'

/** What the tests know of the three ways to run Redis. */
export interface Topology extends AsyncDisposable {
  readonly url: string
  /** Every server with data. */
  readonly servers: readonly RedisServer[]
  /** Who serves the partition now. */
  masterOf(tag: string): Promise<RedisServer>
  /** Its replica, at the start. */
  replicaOf(master: RedisServer): RedisServer
}

export type TopologyName = 'one server' | 'Sentinel' | 'a cluster'

export async function startTopology(name: TopologyName): Promise<Topology> {
  switch (name) {
    case 'one server': {
      const server = await startRedis()
      return {
        url: server.url,
        servers: [server],
        masterOf: async () => server,
        replicaOf: () => server,
        [Symbol.asyncDispose]: () => server.close(),
      }
    }
    case 'Sentinel': {
      const setup = await startRedisSentinel()
      return {
        url: setup.url,
        servers: setup.servers,
        masterOf: async () => (await setup.roles()).master,
        replicaOf: master => setup.servers.find(one => one !== master)!,
        [Symbol.asyncDispose]: setup.close,
      }
    }
    case 'a cluster': {
      const cluster = await startRedisCluster({ replicas: 1 })
      return {
        url: cluster.url,
        servers: cluster.nodes,
        masterOf: tag => cluster.masterOf(tag),
        replicaOf: master => cluster.nodes[cluster.nodes.indexOf(master) + 3]!,
        [Symbol.asyncDispose]: cluster.close,
      }
    }
  }
}
