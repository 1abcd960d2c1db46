/** `npm run bench:flame -- FILE.cpuprofile OUT.svg`: a picture of what `node --cpu-prof` wrote. `--title` says of what. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { commandLine } from '../harness/command-line.ts'
import { callTree } from './call-tree.ts'
import type { CpuProfile } from './cpu-profile.ts'
import { flameChart } from './flame-chart.ts'

const USAGE = 'usage: npm run bench:flame -- FILE.cpuprofile OUT.svg [--title "the aggregator at 20,000 trades/s"]'

const { from, to, title } = commandLine(USAGE, () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { title: { type: 'string' } } })
  const [profile, picture, ...more] = positionals
  if (profile === undefined || picture === undefined || more.length > 0) {
    throw new Error('name the profile and the file for its picture')
  }
  return { from: profile, to: picture, title: values.title ?? basename(profile) }
})
const profile = JSON.parse(readFileSync(from, 'utf8')) as CpuProfile
const tree = callTree(profile, new URL('../../../../', import.meta.url).href)
writeFileSync(to, flameChart(tree, title))
