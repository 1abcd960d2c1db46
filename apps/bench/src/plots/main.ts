/** `npm run bench:plots`: draws every data file of docs/bench beside it. Another folder may be named. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { curveOf } from './curve.ts'
import { lineChart } from './line-chart.ts'

const dir = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/bench', import.meta.url))
for (const name of readdirSync(dir).sort()) {
  if (!name.endsWith('.json')) continue
  const curve = curveOf(readFileSync(join(dir, name), 'utf8'), name)
  if (curve === undefined) continue
  const picture = name.replace(/json$/, 'svg')
  writeFileSync(join(dir, picture), lineChart(curve))
  console.log(picture)
}
