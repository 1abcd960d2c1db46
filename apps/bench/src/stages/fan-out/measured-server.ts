import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { endProcess, startProcess } from '../../harness/bench-process.ts'
import type { ServeHttp2 } from './http2-process.ts'
import { untilTrue } from './until-true.ts'

/**
 * `edge`: the very program that runs in production. `naive`: what one would write first. The others are floors: `turn` writes each stream
 * once a turn of the event loop, as the edge does, `each` once for each update, as the naive one does.
 */
export type ServerKind = 'edge' | 'naive' | 'http2-turn' | 'http2-each'

/** A server of StreamBars in a process of its own. */
export interface MeasuredServer extends AsyncDisposable {
  readonly pid: number
  readonly port: number
}

export interface ServerOptions {
  readonly redisUrl: string
  readonly tags: readonly string[]
  readonly interval: string
  /** Where the edge leaves a profile of its CPU when it ends. */
  readonly profileDir?: string | undefined
}

const EDGE = fileURLToPath(new URL('../../../../edge/src/main.ts', import.meta.url))
/** Live bars need no PostgreSQL, and nothing here asks for others: there is none. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none'
/** Of the edge's output; it is only looked at until it listens. */
const OUTPUT_MAX = 10_000

export async function startServer(kind: ServerKind, options: ServerOptions): Promise<MeasuredServer> {
  if (kind === 'edge') return await startEdge(options)
  if (kind === 'naive') return await startPeer('naive-process.ts', options)
  return await startPeer('http2-process.ts', { ...options, perTurn: kind === 'http2-turn' } satisfies ServeHttp2)
}

async function startPeer(file: string, argument: object): Promise<MeasuredServer> {
  const server = startProcess(new URL(file, import.meta.url))
  const port = await server.ask<number>('serve', argument)
  return { ...server, port }
}

/** With its defaults, but for the bound of symbols: a call of all of them is one of the loads. */
async function startEdge(options: ServerOptions): Promise<MeasuredServer> {
  const { redisUrl, interval, profileDir } = options
  const places = { REDIS_URL: redisUrl, DATABASE_URL: NO_DATABASE }
  const ports = { GRPC_HOST: '127.0.0.1', GRPC_PORT: '0', HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0' }
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const child = spawn(process.execPath, [...profile, EDGE], {
    env: { ...process.env, ...places, ...ports, INTERVALS: interval, STREAM_SYMBOLS_MAX: '10000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await portOf(child)
  return {
    pid: child.pid!,
    port,
    async [Symbol.asyncDispose]() {
      if (profileDir !== undefined && child.exitCode === null) {
        // The profile is written by one that ends by itself.
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      endProcess(child)
    },
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  let output = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-OUTPUT_MAX)
  })
  const port = () => {
    if (child.exitCode !== null) throw new Error(`the edge has ended with ${child.exitCode}:\n${output}`)
    const line = output.split('\n').find(one => one.includes('gRPC listening'))
    return /"port":(\d+)/.exec(line ?? '')?.[1]
  }
  await untilTrue(() => port() !== undefined, 'the edge listens')
  return Number(port())
}
