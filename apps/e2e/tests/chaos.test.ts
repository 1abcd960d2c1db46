import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readOptions } from '../src/chaos/options.ts'
import { runChaos } from '../src/chaos/run.ts'

/** What a loaded machine with two cores carries beside everything else; `npm run chaos` takes 5,000 trades a second. */
const ARGUMENTS = ['--minutes', '1', '--rate', '400', '--symbols', '10', '--seed', '20']
/** A minute of faults, up to two of start, three at most to settle. */
const TIMEOUT_MS = 480_000

test(
  'a minute of kills, stops and cuts: every bar is stored and told once, whole, and equals the oracle',
  async () => {
    const logDir = mkdtempSync(join(tmpdir(), 'chart-chaos-'))
    const said: string[] = []
    const options = readOptions(ARGUMENTS, { seed: 0, logDir })
    const { failures, faults, compared } = await runChaos(options, line => said.push(line))
    expect(failures, `output of the processes in ${logDir}; faults:\n${said.join('\n')}`).toEqual([])
    expect(faults.length).toBeGreaterThan(20)
    expect(compared).toBeGreaterThan(1_000)
  },
  TIMEOUT_MS,
)
