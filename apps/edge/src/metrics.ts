import { Counter, Gauge, Histogram, type Registry } from '@chart/service'

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(registry: Registry) {
  const registers = [registry]
  return {
    streams: new Gauge({ name: 'chart_edge_streams', help: 'Open StreamBars calls', registers }),
    updates: new Counter({ name: 'chart_edge_updates_total', help: 'Updates from the aggregators', registers }),
    stale: new Counter({
      name: 'chart_edge_stale_updates_total',
      help: 'Updates that told nothing new (repeated after a failover)',
      registers,
    }),
    rereads: new Counter({
      name: 'chart_edge_rereads_total',
      help: 'Symbols read again from Redis because an update was missed',
      registers,
    }),
    events: new Counter({ name: 'chart_edge_events_total', help: 'Events made, before they are shared', registers }),
    writes: new Counter({ name: 'chart_edge_writes_total', help: 'Messages written to clients', registers }),
    writtenBytes: new Counter({ name: 'chart_edge_written_bytes_total', help: 'Bytes written to clients', registers }),
    latency: new Histogram({
      name: 'chart_edge_trade_to_write_seconds',
      help: "From a trade's time (the exchange's clock) to the writing of the message that tells it",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    merged: new Counter({
      name: 'chart_edge_merged_events_total',
      help: 'Live bars not sent because a slow client got a newer one',
      registers,
    }),
    evicted: new Counter({
      name: 'chart_edge_evicted_streams_total',
      help: 'Calls ended because the client read too slowly',
      registers,
    }),
    differing: new Counter({
      name: 'chart_edge_refolded_bars_total',
      help: 'Live bars whose trade by trade result differed from the aggregator; the aggregator counts',
      registers,
    }),
  }
}
