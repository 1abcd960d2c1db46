/** The live bars of many symbols, one commit after the other: `run` tells what a symbol of a commit takes. */
import { openBarQueue, openRedis } from '@chart/redis'
import { Redis } from 'ioredis'
import { answerParent } from '../../harness/bench-process.ts'
import { measured } from '../../harness/measured.ts'
import { aggregatorLoop } from './aggregator-loop.ts'
import { writeReadyFields, writeReadyValues } from './ready-hashes.ts'
import { fillWideLog } from './wide-log.ts'

const { REDIS_PORT, WRITES, ENTRIES, SYMBOLS, TRADES } = process.env
const port = Number(REDIS_PORT)
const url = `redis://127.0.0.1:${port}`
const entries = Number(ENTRIES)
const symbols = Number(SYMBOLS)
const plain = new Redis(url)

async function openWay(): Promise<() => Promise<() => Promise<void>>> {
  const ready = { symbols, times: entries }
  if (WRITES === 'values') return async () => () => writeReadyValues(plain, ready)
  if (WRITES === 'fields') return async () => () => writeReadyFields(plain, ready)
  const redis = await openRedis(url, 'bench')
  const queue = openBarQueue({ url })
  return async () => {
    const lastEntry = await fillWideLog(redis, entries, { symbols, trades: Number(TRADES) })
    return () => aggregatorLoop({ url, redis, queue, lastEntry, entriesMax: 1 })
  }
}

const prepare = await openWay()
answerParent({
  async run() {
    await plain.flushall('SYNC')
    const run = await prepare()
    return measured(port, entries * symbols, run)
  },
})
