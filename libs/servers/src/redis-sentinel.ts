import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { awaitServers, redisCommand, wordsOf } from './redis-command.ts'
import { startRedisProcess } from './redis-process.ts'
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.ts'

export type SentinelOptions = {
  /** A master that does not answer for this long is taken for lost. */
  readonly downAfterMs?: number
  /** Of the master and its replica. */
  readonly redis?: Pick<RedisOptions, 'appendOnly' | 'args'>
}

/** A master, its replica, and three Sentinels that put the one in the place of the other. */
export type SentinelSetup = AsyncDisposable & {
  /** `redis+sentinel://…`. */
  readonly url: string
  readonly servers: readonly [RedisServer, RedisServer]
  readonly sentinels: readonly RedisServer[]
  /** Whom the Sentinels call the master now, and the other. */
  roles(): Promise<{ master: RedisServer; replica: RedisServer }>
  close(): Promise<void>
}

const NAME = 'chart'
const QUORUM = 2
const SENTINELS = 3

/** Starts all of them on the loopback interface; resolves when the Sentinels know each other and the replica. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<SentinelSetup> {
  const { downAfterMs = 1_000, redis = {} } = options
  await using starting = new AsyncDisposableStack()
  const args = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1', ...(redis.args ?? [])]
  const first = starting.use(await startRedis({ ...redis, args }))
  const second = starting.use(await startRedis({ ...redis, args: [...args, '--replicaof', `127.0.0.1 ${first.port}`] }))
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startSentinel(first.port, downAfterMs).then(one => starting.use(one))),
  )
  await awaitServers('the replica is in step', async () =>
    (await redisCommand(second.port, 'INFO replication')).includes('master_link_status:up'),
  )
  await awaitServers('the Sentinels know each other and the replica', async () => {
    const views = await Promise.all(sentinels.map(one => redisCommand(one.port, `SENTINEL MASTER ${NAME}`)))
    return views.every(view => {
      const words = wordsOf(view)
      const of = (name: string) => words[words.indexOf(name) + 1]
      return of('num-slaves') === '1' && of('num-other-sentinels') === String(SENTINELS - 1)
    })
  })
  const all = starting.move()
  const servers = [first, second] as const
  const close = () => all.disposeAsync()
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`)}/${NAME}`,
    servers,
    sentinels,
    async roles() {
      const answers = await Promise.all(
        sentinels.map(one => redisCommand(one.port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${NAME}`)),
      )
      const votes = answers.map(answer => Number(wordsOf(answer)[1]))
      const [master, replica] = votes.filter(port => port === second.port).length >= QUORUM ? [second, first] : servers
      return { master, replica }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function startSentinel(masterPort: number, downAfterMs: number): Promise<RedisServer> {
  return startRedisProcess({
    async argsOf(port, dir) {
      const file = join(dir, 'sentinel.conf')
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${dir}`,
        `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
        `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
        // Also how long they wait before they vote again after a vote without a majority.
        `sentinel failover-timeout ${NAME} 5000`,
      ]
      // Sentinel writes what it learns into the same file.
      await writeFile(file, `${lines.join('\n')}\n`)
      return [file, '--sentinel']
    },
  })
}
