/**
 * `npm run bench:never-reading`: memory of the edge and of a naive server while some clients never read, beside others that do; and what the
 * others notice of it. By default each server is measured without such clients as well.
 */
import { parseArgs } from 'node:util'
import { startPostgres, startRedis } from '@chart/servers'
import { costOf } from '../../harness/bench-process.ts'
import type { Heard } from './client-process.ts'
import { type ServerKind, Stage } from './measurement.ts'

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
const UPDATES = Number(values.updates)
const RATE = Number(values.rate)
/** How often memory is looked at. */
const STEP_S = Math.min(5, UPDATES / RATE)
const MB = 1024 * 1024

const redis = await startRedis()
const postgres = await startPostgres()
const servers = { redisUrl: redis.url, databaseUrl: postgres.url }
try {
  console.log(
    '| server | clients that never read | updates | RSS before, MB | after | highest | growth | p99 ms of the others | let go |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const stuck of values.stuck.split(',').map(Number)) {
    for (const server of ['edge', 'naive'] as const) console.log(await measure(server, stuck))
  }
} finally {
  await postgres.close()
  await redis.close()
}

async function measure(server: ServerKind, stuck: number): Promise<string> {
  await using stage = await Stage.open(server, servers, 1)
  const streams = Number(values.reading)
  await stage.begin({ streams, streamsPerConnection: 1, symbols: 1, tradesPerSecond: RATE }, Number(values['warm-up']))
  const before = costOf(stage.serverPid).rssBytes
  const clients = await stage.openNeverReading(stuck)
  let highest = before
  let after = before
  let updates = 0
  let p99Ms = 0
  while (updates < UPDATES) {
    const result = await stage.measure(STEP_S)
    updates += result.trades
    after = result.serverRssBytes
    highest = Math.max(highest, after)
    p99Ms = Math.max(p99Ms, result.p99Ms ?? 0)
    process.stderr.write(`${server}, ${stuck} stuck: ${updates} updates, ${inMb(after)} MB\n`)
  }
  const { ended } = await clients.ask<Heard>('heard')
  const cells = [server, stuck, updates, inMb(before), inMb(after), inMb(highest), inMb(highest - before), p99Ms, ended]
  return `| ${cells.join(' | ')} |`
}

function inMb(bytes: number): string {
  return (bytes / MB).toFixed(1)
}
