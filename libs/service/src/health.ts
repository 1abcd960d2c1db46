import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import type { Log } from './log.ts'

/** One thing that must work before this process can serve; the error's message is shown by /readyz. */
export interface ReadinessCheck {
  readonly name: string
  check(): Promise<void>
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number
}

/** A check that takes longer has failed: probes ask every few seconds. */
const CHECK_TIMEOUT_MS = 2_000

/**
 * Serves /livez (the event loop turns: never depends on others, so that their outage restarts nobody), /readyz (every
 * check passes) and /metrics.
 * @throws when the port is taken, naming it
 */
export async function serveHealth(options: {
  host: string
  port: number
  registry: Registry
  checks: readonly ReadinessCheck[]
  log: Log
}): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/livez') {
      response.end('ok\n')
    } else if (path === '/readyz') {
      const faults = await faultsOf(options.checks)
      response.statusCode = faults.length === 0 ? 200 : 503
      response.end(faults.length === 0 ? 'ok\n' : `${faults.join('\n')}\n`)
    } else if (path === '/metrics') {
      response.setHeader('content-type', options.registry.contentType)
      response.end(await options.registry.metrics())
    } else {
      response.statusCode = 404
      response.end('paths: /livez /readyz /metrics\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use; set HEALTH_PORT to a free one' : error.message
      reject(new Error(`health port ${options.host}:${options.port} ${reason}`, { cause: error }))
    })
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  options.log.info({ port }, 'health endpoints listening')
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function faultsOf(checks: readonly ReadinessCheck[]): Promise<string[]> {
  const results = await Promise.allSettled(checks.map(async ({ check }) => withTimeout(check())))
  return results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${checks[index]!.name}: ${(result.reason as Error).message}`] : [],
  )
}

async function withTimeout(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
