import { AUDITED_FIELDS, STOP_STATUSES } from '@chart/binance'
import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(registry: Registry) {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name: `chart_auditor_${name}`, help, registers })
  return {
    leading: new Gauge({ name: 'chart_auditor_leading', help: '1 in the auditor that works', registers }),
    verified: counter('verified_bars_total', "Bars that equal the exchange's own"),
    differences: counterBy('field', [...AUDITED_FIELDS, 'complete'], {
      name: 'chart_auditor_differences_total',
      help: "Fields in which a bar differed from the exchange's own; complete: the bar itself said that it lacks trades",
      registers,
    }),
    repairs: counterBy('by', ['log', 'row'], {
      name: 'chart_auditor_repairs_total',
      help: 'Bars made anew, by the way they took: log (published as a correction) or row (the row alone was wrong)',
      registers,
    }),
    restStops: counterBy('status', STOP_STATUSES.map(String), {
      name: 'chart_auditor_rest_stops_total',
      help: 'Answers of the exchange that forbid further requests for a while, by their HTTP status',
      registers,
    }),
    imported: counter('imported_bars_total', "Bars taken over from the exchange's own"),
    missing: counter('missing_bars_total', 'Bars of the exchange that were stored nowhere'),
    surplus: counter('surplus_bars_total', 'Bars that the exchange does not have'),
    unexplained: counter('unexplained_bars_total', "Bars of which the exchange's trades give another bar than its own"),
    doubtful: new Gauge({ name: 'chart_auditor_doubtful_bars', help: 'Bars that are looked at again', registers }),
    provenSeconds: new Histogram({
      name: 'chart_auditor_proven_delay_seconds',
      help: "From the end of a bar (the exchange's clock) to its proof, of bars that ended since this audit began",
      buckets: [10, 12.5, 15, 20, 30, 60, 300, 1_800],
      registers,
    }),
    passSeconds: new Histogram({
      name: 'chart_auditor_pass_seconds',
      help: 'Time of one pass over every series',
      buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
      registers,
    }),
  }
}
