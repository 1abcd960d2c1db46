import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the recordings of real trades, which are not part of this repository: CHART_TEST_DATA, or beside it. */
export const RECORDED_DATA =
  process.env.CHART_TEST_DATA ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))

export const hasRecordedData = existsSync(RECORDED_DATA)

export function recordedFile(name: string): string {
  return join(RECORDED_DATA, name)
}

/** Rows of a CSV file with a header, by column name. */
export function csvRows(name: string): Record<string, string>[] {
  const [header, ...lines] = readFileSync(recordedFile(name), 'utf8').trim().split('\n')
  const columns = header!.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((value, index) => [columns[index]!, value])))
}
