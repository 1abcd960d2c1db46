import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit, ensureRedisInstalled, type Server, startPostgres, startRedis } from '@chart/servers'
import { backoffMs } from './backoff.ts'
import type { ProcessState, ProcessView } from './managed-process.ts'

export type Servers = AsyncDisposable & {
  readonly redisUrl: string
  readonly databaseUrl: string
  views(): ProcessView[]
  killNow(): Promise<void>
}

export type ServerChoice = {
  /** Where our own servers keep their data. */
  readonly dir: string
  readonly redisUrl?: string
  readonly databaseUrl?: string
}

/** Redis and PostgreSQL: those that were named, otherwise our own, which are started again when they die. */
export async function openServers(choice: ServerChoice, say: (line: string) => void): Promise<Servers> {
  await using opening = new AsyncDisposableStack()
  const own = {
    redis: async () => {
      await ensureRedisInstalled(say)
      return opening.use(keepServer('redis', await startRedis({ dir: join(choice.dir, 'redis'), appendOnly: true })))
    },
    postgres: async () =>
      opening.use(keepServer('postgres', await startPostgres({ dir: join(choice.dir, 'postgres') }))),
  }
  const [redis, postgres] = await allOrThrow([
    choice.redisUrl === undefined ? own.redis() : undefined,
    choice.databaseUrl === undefined ? own.postgres() : undefined,
  ])
  const kept = [redis, postgres].filter(server => server !== undefined)
  const servers = opening.move()
  return {
    redisUrl: choice.redisUrl ?? redis!.url,
    databaseUrl: choice.databaseUrl ?? postgres!.url,
    views: () => kept.map(server => server.view()),
    killNow: async () => {
      await Promise.all(kept.map(server => server.killNow()))
    },
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  }
}

/** Both have ended their start, well or badly, before anything is thrown: what was started must be known to be closed. */
async function allOrThrow<A, B>(work: [A, B]): Promise<[Awaited<A>, Awaited<B>]> {
  const failed = (await Promise.allSettled(work)).find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return (await Promise.all(work)) as [Awaited<A>, Awaited<B>]
}

type KeptServer = AsyncDisposable & { readonly url: string; view(): ProcessView; killNow(): Promise<void> }

function keepServer(name: string, server: Server): KeptServer {
  const closing = new AbortController()
  let state: ProcessState = 'ready'
  let restarts = 0
  let note: string | undefined

  const keep = async () => {
    for (let failures = 0; ; ) {
      const startedTime = Date.now()
      const exit = await server.exited()
      if (closing.signal.aborted) return
      failures = Date.now() - startedTime > 30_000 ? 1 : failures + 1
      state = 'waiting'
      note = describeExit(exit)
      await sleep(backoffMs(failures), undefined, { signal: closing.signal }).catch(() => {})
      if (closing.signal.aborted) return
      state = 'starting'
      restarts++
      try {
        await server.restart()
        state = 'ready'
        note = undefined
      } catch (error) {
        note = (error as Error).message
      }
      if (closing.signal.aborted) return
    }
  }
  const kept = keep()
  return {
    url: server.url,
    view: () => ({
      name,
      state,
      restarts,
      ...((state === 'ready' || state === 'stopping') && { pid: server.pid }),
      ...(note !== undefined && { note }),
    }),
    async killNow() {
      closing.abort()
      await server.kill('SIGKILL')
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      state = 'stopping'
      // A restart under way comes to its end first, so that the close finds what it has to close.
      if (note !== undefined) await kept
      await server.close()
      await kept
      state = 'stopped'
    },
  }
}
