import type { BarServerOptions } from '@chart/grpc'
import type { Log, Registry } from '@chart/service'
import { BoundedLog } from './bounded-log.ts'
import { CallMetrics } from './call-metrics.ts'

/** The audit log: one refusal. */
interface Refusal {
  readonly what: 'call' | 'connection'
  /** Address and port. */
  readonly peer: string
  readonly method?: string
  /** Of a key that is known. */
  readonly keyId?: string | undefined
  readonly code?: string
  readonly reason: string
  readonly detail?: string | undefined
}

const REFUSED = { line: 'refused', rest: 'more refused in this second' }
/** While Redis is away every call fails. */
const FAILED = { line: 'a call failed', rest: 'more calls failed in this second' }

/** What is told of calls and connections: metrics of all, and lines of the log, so many a second, for those refused and those that failed in us. */
export function reportCalls(options: {
  readonly registry: Registry
  readonly log: Log
  readonly connections: () => number
}): Required<Pick<BarServerOptions, 'onCallEnd' | 'onConnectionEnd' | 'onError'>> & Disposable {
  const metrics = new CallMetrics(options.registry, options.connections)
  const refusals = new BoundedLog<Refusal>(REFUSED, (fields, message) => options.log.warn(fields, message))
  const failures = new BoundedLog<{ err: unknown }>(FAILED, (fields, message) => options.log.error(fields, message))
  return {
    onCallEnd(end) {
      metrics.noteCall(end)
      if (end.refusal === undefined) return
      const { method, peer, keyId, code, refusal } = end
      refusals.add({ what: 'call', peer, method, keyId, code, reason: refusal })
    },
    onConnectionEnd(peer, reason, detail) {
      metrics.noteConnectionEnd(reason)
      refusals.add({ what: 'connection', peer, reason, detail })
    },
    onError: error => failures.add({ err: error }),
    [Symbol.dispose]() {
      refusals.flush()
      failures.flush()
    },
  }
}
