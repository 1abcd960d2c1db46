import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Row } from '../src/stages/fan-out/fan-out-table.ts'

/** What the benchmarks find of time is no test's business; that they run is, and what they find of memory. */

const run = promisify(execFile)
const program = (name: string) => fileURLToPath(new URL(`../src/stages/fan-out/${name}.ts`, import.meta.url))

test('the benchmark of fan-out counts an update for every trade and stream, of the edge and of the naive server', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'chart-fan-out-'))
  try {
    const json = join(dir, 'fan-out.json')
    const few = ['--streams', '4', '--streams-per-connection', '2', '--rates', '200', '--symbols', '2']
    const { stdout } = await run(process.execPath, [
      program('fan-out'),
      ...few,
      ...['--rounds', '1', '--warm-up', '0', '--seconds', '1', '--json', json],
    ])
    expect(stdout).toMatch(/\| 4 \| 2 \| 200 \(\d+\) \| edge \| \d+ \| \d/)
    const { rows } = JSON.parse(readFileSync(json, 'utf8')) as { rows: Row[] }
    const [{ edge, naive }] = rows as [Row]
    for (const { updatesPerSecond, ended } of [edge, naive]) {
      expect(updatesPerSecond).toBeGreaterThan(0)
      expect(ended).toBe(0)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('twenty clients that never read cost the edge little memory, and a server that keeps everything for them a lot', async () => {
  const load = ['--stuck', '20', '--reading', '2', '--updates', '20000', '--rate', '2500', '--warm-up', '1']
  const { stdout } = await run(process.execPath, [program('never-reading'), ...load])
  console.log(stdout)
  const growthOf = (server: string) =>
    Number(new RegExp(`^\\| ${server} \\|(?:[^|]*\\|){5} ([0-9.]+) \\|`, 'm').exec(stdout)?.[1])
  expect(growthOf('edge')).toBeLessThan(growthOf('naive') / 3)
})
