/**
 * `npm run bench:never-reading`: memory of the edge and of a naive server while some clients never read, beside others that do; and what the
 * others notice of it. By default each server is measured without such clients as well.
 */
import { parseArgs } from 'node:util'
import { tableText } from '../../harness/report.ts'
import { costOfStuckClients } from '../subscribers/stuck-clients.ts'

const { values } = parseArgs({
  options: {
    /** Numbers of clients that never read. */
    stuck: { type: 'string', default: '0,20' },
    reading: { type: 'string', default: '4' },
    /** Of the one symbol that all follow. */
    updates: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '2000' },
    'warm-up': { type: 'string', default: '2' },
  },
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

const load = {
  reading: Number(values.reading),
  updates: Number(values.updates),
  tradesPerSecond: Number(values.rate),
  warmUpSeconds: Number(values['warm-up']),
}
const rows: string[][] = [[...HEAD, 'let go']]
for (const stuck of values.stuck.split(',').map(Number)) {
  for (const server of ['edge', 'naive'] as const) {
    const { before, after, highest, p99Ms, ended } = await costOfStuckClients(server, { ...load, stuck })
    const memory = [before, after, highest, highest - before].map(bytes => (bytes / MB).toFixed(1))
    rows.push([server, String(stuck), ...memory, String(p99Ms), String(ended)])
    process.stderr.write(`${server}, ${stuck} clients that never read: measured\n`)
  }
}
console.log(tableText(rows))
