import { EXTEND_EVERY_MS, LEASE_MS, type LeaderLock } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'

export interface LeadingOptions {
  readonly lock: LeaderLock
  readonly metrics: Pick<Metrics, 'leading'>
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Works while this process holds the lease, and waits for it otherwise. Two that work at once for a moment (one slept through its lease)
 * do no harm: what they write names the version it replaces. The lease saves the exchange from being asked twice.
 * @throws whatever `work` throws while it holds the lease
 */
export async function keepLeading(
  options: LeadingOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { lock, metrics, log, signal } = options
  while (!signal.aborted) {
    if (!(await lock.acquire())) {
      await delay(LEASE_MS, signal)
      continue
    }
    log.info('leading the audit')
    metrics.leading.set(1)
    const lost = new AbortController()
    const running = work(AbortSignal.any([signal, lost.signal])).finally(() => lost.abort())
    running.catch(() => undefined)
    while (!signal.aborted && !lost.signal.aborted) {
      await delay(EXTEND_EVERY_MS, AbortSignal.any([signal, lost.signal]))
      if (!signal.aborted && !lost.signal.aborted && !(await lock.extend())) lost.abort()
    }
    try {
      await running
    } finally {
      metrics.leading.set(0)
      await lock.release()
    }
    log.info('no longer leading the audit')
  }
}
