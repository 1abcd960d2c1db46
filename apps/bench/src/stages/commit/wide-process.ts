/** The aggregator's loop over a partition of many symbols, an entry a commit: `run` tells what a symbol of a commit takes. */
import { openBarQueue, openRedis } from '@chart/redis'
import { Redis } from 'ioredis'
import { answerParent } from '../../harness/bench-process.ts'
import { measured } from '../../harness/measured.ts'
import { aggregatorLoop } from './aggregator-loop.ts'
import { fillWideLog } from './wide-log.ts'

const { REDIS_PORT, ENTRIES, SYMBOLS, TRADES } = process.env
const port = Number(REDIS_PORT)
const url = `redis://127.0.0.1:${port}`
const of = { symbols: Number(SYMBOLS), trades: Number(TRADES) }
const entries = Number(ENTRIES)
const plain = new Redis(url)
const redis = await openRedis(url, 'bench')
const queue = openBarQueue({ url })

answerParent({
  async run() {
    await plain.flushall('SYNC')
    const lastEntry = await fillWideLog(redis, entries, of)
    return measured(port, entries * of.symbols, () => aggregatorLoop({ url, redis, queue, lastEntry, entriesMax: 1 }))
  },
})
