import { openBarWriter } from '@chart/persister/bar-writer'
import { openMetrics } from '@chart/persister/metrics'
import { openPostgres } from '@chart/postgres'
import { Registry } from '@chart/service'
import type { RowWriter } from './writers.ts'

/** Ours: the persister's own writer, given `size` bars at a time, each statement on disk before the next. */
export async function openUpserting(url: string, size: number): Promise<RowWriter> {
  const postgres = await openPostgres({ url, applicationName: `upserting-${size}` })
  const none = async () => 0
  const writer = openBarWriter(postgres, openMetrics(new Registry(), { waitingCount: none, failedCount: none }))
  return {
    table: 'bars',
    async write(bars) {
      for (let start = 0; start < bars.length; start += size) {
        const errors = await writer.write(bars.slice(start, start + size))
        const refused = errors.find(error => error !== undefined)
        if (refused !== undefined) throw refused
      }
    },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  }
}
