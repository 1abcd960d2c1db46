import type { CallEnd, ConnectionEnd } from '@chart/grpc'
import { Counter, Gauge, Histogram, type Registry } from '@chart/service'

/** Of unary calls; streams last for minutes. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3_600]

/** Metrics of every call and connection. Labels are methods and codes that exist, and reasons of ours: nobody outside can add one. */
export class CallMetrics {
  readonly #calls: Counter<'method' | 'code'>
  readonly #seconds: Histogram<'method'>
  readonly #refusedCalls: Counter<'code'>
  readonly #endedConnections: Counter<'reason'>

  /** @param connections tells how many are open */
  constructor(registry: Registry, connections: () => number) {
    const registers = [registry]
    this.#calls = new Counter({
      name: 'chart_edge_calls_total',
      help: 'Calls that have ended, by method and code',
      labelNames: ['method', 'code'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'chart_edge_call_seconds',
      help: 'How long calls took; of streams, how long they were open',
      labelNames: ['method'],
      buckets: SECONDS,
      registers,
    })
    this.#refusedCalls = new Counter({
      name: 'chart_edge_refused_calls_total',
      help: 'Calls refused before they were served (keys, scopes, limits), by code',
      labelNames: ['code'],
      registers,
    })
    this.#endedConnections = new Counter({
      name: 'chart_edge_refused_connections_total',
      help: 'Connections refused or cut, by reason',
      labelNames: ['reason'],
      registers,
    })
    new Gauge({
      name: 'chart_edge_connections',
      help: 'Open connections of clients',
      registers,
      collect() {
        this.set(connections())
      },
    })
  }

  noteCall({ method, code, ms, refusal }: CallEnd): void {
    this.#calls.inc({ method, code })
    this.#seconds.observe({ method }, ms / 1_000)
    if (refusal !== undefined) this.#refusedCalls.inc({ code })
  }

  noteConnectionEnd(reason: ConnectionEnd): void {
    this.#endedConnections.inc({ reason })
  }
}
