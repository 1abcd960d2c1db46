import type { CallEnd, ConnectionEnd, RpcCode } from '@chart/grpc'
import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'

/** Of unary calls; streams last for minutes. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3_600]

/** Of our own service; reflection and health are called by tools and probes. */
const METHODS = ['StreamBars', 'ListBars', 'GetLiveBar', 'ListSymbols'].map(name => `/chart.v1.ChartService/${name}`)

/** With which a call is refused. A record, so that the types miss none. */
const REFUSALS = Object.keys({
  INVALID_ARGUMENT: 0,
  NOT_FOUND: 0,
  PERMISSION_DENIED: 0,
  RESOURCE_EXHAUSTED: 0,
  UNAUTHENTICATED: 0,
  UNAVAILABLE: 0,
} satisfies Record<RpcCode, 0>)

/** How a call may end besides: in good order, by its client, by its deadline, by a fault of ours. */
const OTHER_CODES = ['OK', 'CANCELLED', 'DEADLINE_EXCEEDED', 'INTERNAL']

const CONNECTION_ENDS = Object.keys({
  'too many connections': 0,
  'too many connections of its address': 0,
  'its address is too fast': 0,
  'TLS failed': 0,
  'not HTTP/2': 0,
  silent: 0,
  'sends too much': 0,
  'too many calls refused': 0,
  'does not read': 0,
} satisfies Record<ConnectionEnd, 0>)

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
    for (const method of METHODS) {
      for (const code of [...OTHER_CODES, ...REFUSALS]) this.#calls.inc({ method, code }, 0)
    }
    this.#refusedCalls = counterBy('code', REFUSALS, {
      name: 'chart_edge_refused_calls_total',
      help: 'Calls refused before they were served (keys, scopes, limits), by code',
      registers,
    })
    this.#endedConnections = counterBy('reason', CONNECTION_ENDS, {
      name: 'chart_edge_refused_connections_total',
      help: 'Connections refused or cut, by reason',
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
