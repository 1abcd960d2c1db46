import type { BarServerOptions } from '@chart/grpc'
import type { Log, Registry } from '@chart/service'
import { CallMetrics } from './call-metrics.ts'
import { RefusalLog } from './refusal-log.ts'

/** What is told of calls and connections: metrics of all, and a bounded line of the log for each that was refused. */
export function reportCalls(options: {
  readonly registry: Registry
  readonly log: Log
  readonly connections: () => number
}): Required<Pick<BarServerOptions, 'onCallEnd' | 'onConnectionEnd'>> & Disposable {
  const metrics = new CallMetrics(options.registry, options.connections)
  const refusals = new RefusalLog((fields, message) => options.log.warn(fields, message))
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
    [Symbol.dispose]: () => refusals.flush(),
  }
}
