/** One way from the log to bars, in a process of its own: `run` fills an emptied Redis, runs it and gives a sample. */
import { openBarQueue, openRedis } from '@chart/redis'
import { Redis } from 'ioredis'
import { answerParent } from '../../harness/bench-process.ts'
import { measured } from '../../harness/measured.ts'
import { GENERATED_SYMBOLS, generatedTrades } from '../append/generated-trades.ts'
import { aggregatorLoop, dropEntries } from './aggregator-loop.ts'
import type { CommitWay } from './commit-way.ts'
import { consumerGroup, createGroup } from './consumer-group.ts'
import { fillLog } from './filled-log.ts'
import { checkBars } from './reference-bars.ts'
import { scriptPerTrade } from './script-per-trade.ts'
import { fillStream, readStream } from './single-entries.ts'

const { REDIS_PORT, WAY, TRADES } = process.env
const port = Number(REDIS_PORT)
const url = `redis://127.0.0.1:${port}`
/** Of a busy symbol in a second. */
const PER_SECOND = 300
const ENTRY_TRADES = 100
/** As many as the aggregator reads. */
const READ_ENTRIES_MAX = 200

const [of] = GENERATED_SYMBOLS
const plain = new Redis(url)
const way = await openWay(WAY!)
const trades = generatedTrades(of!, Math.round(Number(TRADES) * way.share), PER_SECOND)

async function openWay(name: string): Promise<CommitWay> {
  const redis = await openRedis(url, 'bench')
  let last = 0
  const fillPacked = async () => {
    last = await fillLog(redis, of!, trades, ENTRY_TRADES)
  }
  const fillSingle = () => fillStream(plain, trades)
  switch (name) {
    case "the aggregator's loop": {
      const queue = openBarQueue({ url })
      return { share: 1, fill: fillPacked, run: () => aggregatorLoop({ url, redis, queue, lastEntry: last }) }
    }
    case "the aggregator's loop, an entry a commit": {
      const queue = openBarQueue({ url })
      const run = () => aggregatorLoop({ url, redis, queue, lastEntry: last, entriesMax: 1 })
      return { share: 0.3, fill: fillPacked, run }
    }
    case 'XREAD of the same entries, dropped':
      return { share: 1, fill: fillPacked, run: () => dropEntries(url, last, READ_ENTRIES_MAX) }
    case 'XREAD of 500 entries of a trade, dropped':
      return { share: 0.3, fill: fillSingle, run: () => readStream(plain, trades.length, () => undefined) }
    case 'a script call a trade':
      return { share: 0.1, fill: fillSingle, run: () => scriptPerTrade(plain, trades.length) }
    case 'a consumer group':
      return {
        share: 0.1,
        fill: async () => {
          await fillSingle()
          await createGroup(plain)
        },
        run: () => consumerGroup(plain, trades.length),
      }
    default:
      throw new Error(`there is no way "${name}" from the log to bars`)
  }
}

async function fill(): Promise<void> {
  await plain.flushall('SYNC')
  await way.fill()
}

answerParent({
  async run() {
    await fill()
    return measured(port, trades.length, () => way.run())
  },
  /** Throws unless the bars are right. */
  async check() {
    await fill()
    await way.run()
    await checkBars(await openRedis(url, 'check'), of!.symbol, trades)
  },
})
