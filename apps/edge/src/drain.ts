import { setTimeout as sleep } from 'node:timers/promises'
import type { BarServer } from '@chart/grpc'
import type { ReadinessCheck } from '@chart/service'

/** Not ready any more from the moment that the process is told to stop. */
export function notStopping(signal: AbortSignal): ReadinessCheck {
  return {
    name: 'running',
    async check() {
      if (signal.aborted) throw new Error('this edge is stopping')
    },
  }
}

/**
 * Lets go of the clients, in this order: nobody new is sent to us (health says NOT_SERVING, /readyz fails); whoever comes while that
 * is getting about is served as ever; then connections are told to make their next calls elsewhere, and open streams end.
 * @param options.ending aborted when streams begin to end
 */
export async function drainEdge(options: {
  readonly server: Pick<BarServer, 'setServing' | 'drain'>
  readonly streams: { endAll(): Promise<void> | void }
  readonly ending: AbortController
  readonly delayMs: number
}): Promise<void> {
  options.server.setServing(false)
  await sleep(options.delayMs)
  options.ending.abort()
  options.server.drain()
  await options.streams.endAll()
}
