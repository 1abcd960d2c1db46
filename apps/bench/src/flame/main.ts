/** `npm run bench:flame -- FILE.cpuprofile OUT.svg`: a picture of what `node --cpu-prof` wrote. `--title` says of what. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { callTree } from './call-tree.ts'
import type { CpuProfile } from './cpu-profile.ts'
import { flameChart } from './flame-chart.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { title: { type: 'string' } } })
const [from, to] = positionals
if (from === undefined || to === undefined) {
  console.error('npm run bench:flame -- FILE.cpuprofile OUT.svg [--title "the aggregator at 20,000 trades/s"]')
  process.exit(2)
}
const profile = JSON.parse(readFileSync(from, 'utf8')) as CpuProfile
const tree = callTree(profile, new URL('../../../../', import.meta.url).href)
writeFileSync(to, flameChart(tree, values.title ?? basename(from)))
