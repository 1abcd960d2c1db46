/**
 * `npm run bench:never-reading`: memory of the edge and of a naive server while some clients never read, beside others that do; and what the
 * others notice of it. By default each server is measured without such clients as well.
 */
import { parseArgs } from 'node:util'
import { commandLine, positive, wholeNumber, wholeNumbers } from '../../harness/command-line.ts'
import { tableText } from '../../harness/report.ts'
import { costOfStuckClients } from '../subscribers/stuck-clients.ts'

const USAGE = `usage: npm run bench:never-reading -- [--stuck 0,20] [--reading 4] [--updates 100000] [--rate 2000] [--warm-up 2]

stuck    numbers of clients that never read, each measured
updates  of the one symbol that all follow
rate     updates a second
warm-up  seconds before it is measured`

const { stuckCounts, load } = commandLine(USAGE, () => {
  const { values } = parseArgs({
    options: {
      stuck: { type: 'string', default: '0,20' },
      reading: { type: 'string', default: '4' },
      updates: { type: 'string', default: '100000' },
      rate: { type: 'string', default: '2000' },
      'warm-up': { type: 'string', default: '2' },
    },
  })
  return {
    stuckCounts: wholeNumbers('stuck', values.stuck, 0),
    load: {
      reading: wholeNumber('reading', values.reading),
      updates: wholeNumber('updates', values.updates),
      tradesPerSecond: wholeNumber('rate', values.rate),
      warmUpSeconds: positive('warm-up', values['warm-up']),
    },
  }
})
const MB = 1024 * 1024
const HEAD = [
  'server',
  'clients that never read',
  'RSS before, MB',
  'after',
  'highest',
  'growth',
  'p99 ms of the others',
]

const rows: string[][] = [[...HEAD, 'let go']]
for (const stuck of stuckCounts) {
  for (const server of ['edge', 'naive'] as const) {
    const { before, after, highest, p99Ms, ended } = await costOfStuckClients(server, { ...load, stuck })
    const memory = [before, after, highest, highest - before].map(bytes => (bytes / MB).toFixed(1))
    rows.push([server, String(stuck), ...memory, String(p99Ms), String(ended)])
    process.stderr.write(`${server}, ${stuck} clients that never read: measured\n`)
  }
}
console.log(tableText(rows))
