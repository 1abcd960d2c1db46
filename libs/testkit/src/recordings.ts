import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** Where the recordings lie beside the repository, when nothing else is said. */
const BESIDE = fileURLToPath(new URL('../../../../shared/data', import.meta.url))

/** Folder of the recordings of real trades, which are not part of the repository; undefined where there is none. */
export const RECORDINGS: string | undefined = [process.env.CHART_TEST_DATA, BESIDE].find(
  path => path !== undefined && existsSync(join(path, 'README.md')),
)

/** Added to the name of a test that is skipped without recordings. */
export const NEEDS_RECORDINGS = RECORDINGS === undefined ? ' (skipped: no recordings, set CHART_TEST_DATA)' : ''

/** Path of one recording. */
export function recordedFile(name: string): string {
  return join(RECORDINGS ?? BESIDE, name)
}

/** One recording as text, uncompressed. */
export function recordedText(name: string): string {
  const bytes = readFileSync(recordedFile(name))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** The lines of one recording. */
export function recordedLines(name: string): string[] {
  return recordedText(name).trim().split('\n')
}

/** Rows of a CSV with a line of names, by name. */
export function recordedRows(name: string): Record<string, string>[] {
  const [header, ...lines] = recordedLines(name)
  const columns = header!.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((value, index) => [columns[index]!, value])))
}
