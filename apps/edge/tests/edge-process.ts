import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BARE_ENV } from '@chart/testkit'
import type { Servers } from './fresh-servers.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export type EdgeProcess = ReturnType<typeof startEdgeProcess>

const running = new Set<EdgeProcess>()

/** Ends what a test left running, also when it failed. */
export async function killEdges(): Promise<void> {
  for (const edge of running) {
    edge.process.kill('SIGKILL')
    await edge.exited
  }
  running.clear()
}

/** Where an edge finds the servers of a test. */
export function urlsOf(servers: Servers) {
  return { REDIS_URL: servers.redis.url, DATABASE_URL: servers.postgres.url }
}

/** The edge as it is deployed: main.ts with an environment. */
export function startEdgeProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...BARE_ENV,
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: '0',
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: '0',
      ...env,
    },
  })
  let text = ''
  let changed = Promise.withResolvers<void>()
  const take = (chunk: Buffer) => {
    text += chunk
    changed.resolve()
    changed = Promise.withResolvers()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const exited = once(child, 'close').then(([code]) => {
    take(Buffer.alloc(0))
    return code as number
  })
  const linesOf = () => text.split('\n').filter(line => line !== '')
  const edge = {
    process: child,
    exited,
    linesOf,
    /** The number that a line of the log gives. */
    async portIn(message: string): Promise<number> {
      for (;;) {
        const line = linesOf().find(one => one.includes(`"${message}"`))
        if (line !== undefined) return JSON.parse(line).port
        if (child.exitCode !== null) throw new Error(`the edge ended: ${text}`)
        await changed.promise
      }
    },
  }
  running.add(edge)
  return edge
}
