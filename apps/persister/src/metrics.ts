import type { BarQueue } from '@chart/redis'
import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(registry: Registry, queue: Pick<BarQueue, 'waitingCount' | 'failedCount'>) {
  const registers = [registry]
  gaugeOf('chart_persister_waiting_jobs', 'Jobs that no persister has taken', () => queue.waitingCount())
  gaugeOf('chart_persister_kept_failed_jobs', 'Failed jobs that somebody should look at', () => queue.failedCount())
  return {
    bars: counterBy('result', ['written', 'unchanged', 'refused'], {
      name: 'chart_persister_bars_total',
      help: 'Bars by what became of them: written, unchanged (the table had them) or refused',
      registers,
    }),
    jobs: counterBy('result', ['done', 'failed', 'postponed'], {
      name: 'chart_persister_jobs_total',
      help: 'Jobs by result: done, failed, or postponed while PostgreSQL takes nothing',
      registers,
    }),
    storedSeconds: new Histogram({
      name: 'chart_persister_stored_delay_seconds',
      help: "From the end of a bar (the exchange's clock) to its row in PostgreSQL; without corrections",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
      registers,
    }),
    failedAcks: new Counter({
      name: 'chart_persister_failed_acks_total',
      help: 'Jobs whose bars are stored and still in the outbox, because Redis did not take the acknowledgement',
      registers,
    }),
    batchBars: new Histogram({
      name: 'chart_persister_batch_bars',
      help: 'Bars of one upsert',
      buckets: [1, 5, 20, 100, 250, 500],
      registers,
    }),
    upsertSeconds: new Histogram({
      name: 'chart_persister_upsert_seconds',
      help: 'Time of one upsert, also of one that failed',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10],
      registers,
    }),
  }

  /** Asked for when scraped. While Redis does not answer it keeps its last value, and the other metrics are told. */
  function gaugeOf(name: string, help: string, read: () => Promise<number>): void {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const value = await read().catch(() => undefined)
        if (value !== undefined) this.set(value)
      },
    })
  }
}
