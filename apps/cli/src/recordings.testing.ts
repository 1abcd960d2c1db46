import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const ROOT = new URL('../../../', import.meta.url)

/** For tests only: the folder of recordings, which lives outside the repository. Undefined where there is none. */
export const RECORDINGS = [process.env.CHART_TEST_DATA, new URL('../shared/data', ROOT).pathname].find(
  path => path !== undefined && existsSync(`${path}/README.md`),
)

/** Added to the name of a test that is skipped without recordings. */
export const NEEDS_RECORDINGS = RECORDINGS === undefined ? ' (skipped: no recordings, set CHART_TEST_DATA)' : ''

/** One recording as text, uncompressed. */
export function recordedText(name: string): string {
  const bytes = readFileSync(`${RECORDINGS}/${name}`)
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
