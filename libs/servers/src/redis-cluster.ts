import { freePort } from './free-port.ts'
import { awaitServers, mustCommand, redisCommand, wordsOf } from './redis-command.ts'
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.ts'

export type ClusterOptions = {
  readonly masters?: number
  /** Of each master: 0 or 1. */
  readonly replicas?: number
  /** A node that does not answer for this long is taken for lost. */
  readonly nodeTimeoutMs?: number
  readonly redis?: Pick<RedisOptions, 'appendOnly' | 'args'>
}

/** A Redis Cluster of one's own. */
export type RedisCluster = AsyncDisposable & {
  /** `redis+cluster://…`, with every node. */
  readonly url: string
  /** The masters at first, then their replicas in the same order. */
  readonly nodes: readonly RedisServer[]
  /** The node that serves `key` now, as the living nodes see it. */
  masterOf(key: string): Promise<RedisServer>
  /** The node's id within the cluster. */
  idOf(node: RedisServer): Promise<string>
  close(): Promise<void>
}

const SLOTS = 16_384

/** Starts the nodes on the loopback interface and joins them; resolves when every one finds the cluster whole. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, nodeTimeoutMs = 1_500, redis = {} } = options
  await using starting = new AsyncDisposableStack()
  const busPorts = new Map<RedisServer, number>()
  const start = async () => {
    // By default the bus has the port 10,000 above, which may be taken or not exist.
    const busPort = await freePort()
    const node = await startRedis({
      ...redis,
      args: [
        // A node that has met no other does not know its own address: a cluster of one never would.
        ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-announce-ip', '127.0.0.1'],
        ...['--cluster-node-timeout', String(nodeTimeoutMs)],
        ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
        ...(redis.args ?? []),
      ],
    })
    busPorts.set(node, busPort)
    return starting.use(node)
  }
  const nodes: RedisServer[] = []
  for (let index = 0; index < masters * (1 + replicas); index++) nodes.push(await start())
  await joinNodes(nodes, busPorts)
  for (const [index, node] of nodes.slice(masters).entries()) {
    await mustCommand(node.port, `CLUSTER REPLICATE ${await idOf(nodes[index]!)}`)
  }
  for (const [index, node] of nodes.slice(0, masters).entries()) {
    const first = Math.floor((SLOTS * index) / masters)
    const last = Math.floor((SLOTS * (index + 1)) / masters) - 1
    await mustCommand(node.port, `CLUSTER ADDSLOTSRANGE ${first} ${last}`)
  }
  await awaitServers('every node finds the cluster whole', () => everyNode(nodes, isWhole))
  await awaitServers('the replicas are in step', () => everyNode(nodes.slice(masters), isInStep))
  const all = starting.move()
  const close = () => all.disposeAsync()
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`)}`,
    nodes,
    idOf,
    async masterOf(key) {
      for (const node of nodes) {
        // One that hangs or is gone answers nothing; a master that was just replaced may not know it yet, its peers do.
        const port = await portOf(node, key)
        const master = nodes.find(one => one.port === port)
        if (master !== undefined && (master !== node || (await isMaster(node)))) return master
      }
      throw new Error(`no node of the cluster serves ${key}`)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function joinNodes(nodes: readonly RedisServer[], busPorts: ReadonlyMap<RedisServer, number>): Promise<void> {
  // Different epochs from the start: two nodes with the same one would have to settle whose slots are whose.
  for (const [index, node] of nodes.entries()) await mustCommand(node.port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`)
  for (const node of nodes.slice(1)) {
    await mustCommand(nodes[0]!.port, `CLUSTER MEET 127.0.0.1 ${node.port} ${busPorts.get(node)}`)
  }
  await awaitServers('the nodes know each other', () =>
    everyNode(nodes, async node => {
      const lines = wordsOf(await redisCommand(node.port, 'CLUSTER NODES'))
        .join('\n')
        .trim()
        .split('\n')
      return lines.length === nodes.length && lines.every(line => !line.includes('handshake'))
    }),
  )
}

async function idOf(node: RedisServer): Promise<string> {
  return wordsOf(await mustCommand(node.port, 'CLUSTER MYID'))[0]!
}

async function isWhole({ port }: RedisServer): Promise<boolean> {
  const info = await redisCommand(port, 'CLUSTER INFO')
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`)
}

async function isInStep({ port }: RedisServer): Promise<boolean> {
  return (await redisCommand(port, 'INFO replication')).includes('master_link_status:up')
}

async function isMaster({ port }: RedisServer): Promise<boolean> {
  return (await redisCommand(port, 'INFO replication')).includes('role:master')
}

/** Port of the master of `key` in the eyes of `node`. */
async function portOf(node: RedisServer, key: string): Promise<number | undefined> {
  const slot = Number((await redisCommand(node.port, `CLUSTER KEYSLOT ${key}`)).slice(1))
  for (const line of (await redisCommand(node.port, 'CLUSTER NODES')).split('\n')) {
    const [, address, flags = '', , , , , , ...ranges] = line.trim().split(' ')
    if (!flags.includes('master') || flags.includes('fail')) continue
    const has = ranges.some(range => {
      const [first, last = first] = range.split('-').map(Number)
      return first! <= slot && slot <= last!
    })
    if (has) return Number(/:(\d+)@/.exec(address!)?.[1])
  }
  return undefined
}

async function everyNode(
  nodes: readonly RedisServer[],
  holds: (node: RedisServer) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(nodes.map(holds))).every(Boolean)
}
