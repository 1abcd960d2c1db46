import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'

export type Metrics = ReturnType<typeof openMetrics>

/** Why a stream ended. `left`: the page went; `slow`: it did not read; `stopped`: this server stops. */
export type StreamEnd = (typeof STREAM_ENDS)[number]
const STREAM_ENDS = ['left', 'slow', 'stopped'] as const

/** How a question to the edges ended. */
export type HistoryResult = (typeof HISTORY_RESULTS)[number]
const HISTORY_RESULTS = ['ok', 'unavailable', 'refused'] as const

export function openMetrics(registry: Registry) {
  const registers = [registry]
  return {
    pages: new Gauge({ name: 'chart_dashboard_pages', help: 'Pages that follow bars', registers }),
    requests: new Counter({
      name: 'chart_dashboard_http_requests_total',
      help: 'Answered requests',
      labelNames: ['route', 'status'],
      registers,
    }),
    updates: new Counter({ name: 'chart_dashboard_updates_total', help: 'Updates from the aggregators', registers }),
    rereads: new Counter({
      name: 'chart_dashboard_rereads_total',
      help: 'Symbols read again from Redis because an update was missed',
      registers,
    }),
    events: new Counter({ name: 'chart_dashboard_written_events_total', help: 'Events written to pages', registers }),
    writtenBytes: new Counter({
      name: 'chart_dashboard_written_bytes_total',
      help: 'Bytes written to pages',
      registers,
    }),
    merged: new Counter({
      name: 'chart_dashboard_merged_live_bars_total',
      help: 'Live bars not written because the page had not read those before, and got a newer one',
      registers,
    }),
    ended: counterBy('reason', STREAM_ENDS, {
      name: 'chart_dashboard_ended_pages_total',
      help: 'Streams that ended, by reason: left, slow, stopped',
      registers,
    }),
    refusedPages: new Counter({
      name: 'chart_dashboard_refused_pages_total',
      help: 'Streams refused because PAGES_MAX pages follow bars',
      registers,
    }),
    historyRequests: counterBy('result', HISTORY_RESULTS, {
      name: 'chart_dashboard_history_requests_total',
      help: 'Questions to the edges, by result: ok, unavailable, refused',
      registers,
    }),
    historySeconds: new Histogram({
      name: 'chart_dashboard_history_seconds',
      help: 'Time of a question to the edges, waiting included',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  }
}
