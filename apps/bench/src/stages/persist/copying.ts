import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BarText } from '@chart/market'
import { Client } from 'pg'
import { from } from 'pg-copy-streams'
import { COLUMNS, valuesOf } from './inserting.ts'
import type { RowWriter } from './writers.ts'

/** Rows of one chunk of the stream, some 75 kB. */
const CHUNK_ROWS = 500

/**
 * The floor: one COPY of all rows, straight into a table with the columns, checks and indexes of a month of `bars`. A row that is there
 * already ends it, and nothing is known of which version is newer.
 */
export async function openCopying(url: string): Promise<RowWriter> {
  const client = new Client({ connectionString: url, application_name: 'copying' })
  await client.connect()
  const table = 'copied_bars'
  await client.query(`CREATE TABLE ${table} (LIKE bars INCLUDING ALL)`)
  return {
    table,
    async write(bars) {
      const stream = client.query(from(`COPY ${table} (${COLUMNS.join()}) FROM STDIN`))
      await pipeline(Readable.from(chunksOf(bars)), stream)
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** None of the values has a character that COPY would want escaped. */
function* chunksOf(bars: readonly BarText[]): Generator<string> {
  for (let start = 0; start < bars.length; start += CHUNK_ROWS) {
    let chunk = ''
    for (const bar of bars.slice(start, start + CHUNK_ROWS)) chunk += `${valuesOf(bar).join('\t')}\n`
    yield chunk
  }
}
