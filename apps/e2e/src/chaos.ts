/**
 * `npm run chaos -- --minutes 5`: runs the whole service as processes under load, kills, stops and cuts off whatever the seed has drawn, and
 * compares every bar, stored and told, with the simulator's oracle. Ends with status 1 when anything is wrong.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readOptions } from './chaos/options.ts'
import { reportOf, textOfReport } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'

const options = readOptions(process.argv.slice(2), {
  seed: Math.floor(Math.random() * 2 ** 32),
  logDir: mkdtempSync(join(tmpdir(), 'chart-chaos-')),
})
// With --json standard output is the report alone.
const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`)
say(`seed ${options.seed}; the output of the processes is in ${options.logDir}`)
const result = await runChaos(options, say)
// Every fault and pause with its time, for whoever looks for the cause of one.
writeFileSync(join(options.logDir, 'result.json'), JSON.stringify(result))
const report = reportOf(result)
say(textOfReport(report))
if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
process.exitCode = report.failures.length === 0 ? 0 : 1
