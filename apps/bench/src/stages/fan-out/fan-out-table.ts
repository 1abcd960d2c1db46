import type { Load, Result } from './measurement.ts'

/** What is compared of one load and server: the medians of its rounds. */
export interface Figures {
  readonly updatesPerSecond: number
  /** Updates that were merged into later ones because a client or the server was behind, of all. */
  readonly mergedShare: number
  /** Trades that the market made in the time; below the rate when it was short of CPU. */
  readonly tradesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of the server for a delivered update. */
  readonly cpuUs: number
  readonly cores: Result['cores']
  readonly updatesPerMessage: number
  readonly ended: number
}

export interface Row {
  readonly load: Load
  readonly edge: Figures
  readonly naive: Figures
}

export function medianOf(results: readonly Result[]): Figures {
  const median = (of: (result: Result) => number) => {
    const sorted = results.map(of).sort((a, b) => a - b)
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  }
  return {
    updatesPerSecond: median(({ updates, seconds }) => updates / seconds),
    mergedShare: median(({ updates, merged }) => merged / (updates + merged)),
    tradesPerSecond: median(({ trades, seconds }) => trades / seconds),
    p50Ms: median(({ p50Ms }) => p50Ms ?? Number.NaN),
    p99Ms: median(({ p99Ms }) => p99Ms ?? Number.NaN),
    cpuUs: median(({ cores, seconds, updates }) => (cores.server * seconds * 1e6) / updates),
    cores: {
      server: median(({ cores }) => cores.server),
      clients: median(({ cores }) => cores.clients),
      market: median(({ cores }) => cores.market),
    },
    updatesPerMessage: median(({ updates, messages }) => updates / messages),
    ended: Math.max(...results.map(({ ended }) => ended)),
  }
}

const COLUMNS = [
  'streams',
  'a connection',
  'trades/s',
  'server',
  'updates/s',
  'ratio',
  'p50 ms',
  'p99 ms',
  'CPU µs an update',
  'ratio',
  'merged',
  'updates a message',
  'cores: server',
  'clients',
  'market',
]

/** A table in Markdown; ratios are the edge's against the naive server's, above 1 where the edge is better. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ load, edge, naive }) =>
    [
      {
        name: 'edge',
        figures: edge,
        gain: edge.updatesPerSecond / naive.updatesPerSecond,
        saving: naive.cpuUs / edge.cpuUs,
      },
      { name: 'naive', figures: naive, gain: undefined, saving: undefined },
    ].map(({ name, figures, gain, saving }) => [
      load.streams,
      load.streamsPerConnection,
      `${load.tradesPerSecond} (${Math.round(figures.tradesPerSecond)})`,
      name,
      Math.round(figures.updatesPerSecond),
      gain?.toFixed(2) ?? '',
      figures.p50Ms,
      figures.p99Ms,
      figures.cpuUs.toFixed(2),
      saving?.toFixed(2) ?? '',
      `${(figures.mergedShare * 100).toFixed(1)} %`,
      figures.updatesPerMessage.toFixed(1),
      figures.cores.server.toFixed(2),
      figures.cores.clients.toFixed(2),
      figures.cores.market.toFixed(2),
    ]),
  )
  return [COLUMNS, COLUMNS.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
