/** One way to append, in a process of its own: `run` does it once on an emptied Redis and gives a sample. */
import { openRedis } from '@chart/redis'
import { Redis } from 'ioredis'
import { answerParent } from '../../harness/bench-process.ts'
import { measured } from '../../harness/measured.ts'
import type { AppendWay } from './append-way.ts'
import { GENERATED_SYMBOLS, generatedTrades } from './generated-trades.ts'
import { ingestorLog } from './ingestor-log.ts'
import { packedEntries } from './packed-entries.ts'
import { awaitedAdds, pipelinedAdds } from './single-adds.ts'

const { REDIS_PORT, WAY, TRADES } = process.env
const port = Number(REDIS_PORT)
const url = `redis://127.0.0.1:${port}`
const [bitcoin] = GENERATED_SYMBOLS
const way = await openWay(WAY!)
const trades = generatedTrades(bitcoin!, Math.round(Number(TRADES) * way.share), 300)
const plain = new Redis(url)

async function openWay(name: string): Promise<AppendWay> {
  switch (name) {
    case 'entries of 100':
      return packedEntries(await openRedis(url, 'bench'), bitcoin!.symbol, 100)
    case 'entries of 500':
      return packedEntries(await openRedis(url, 'bench'), bitcoin!.symbol, 500)
    case "the ingestor's loop":
      return ingestorLog(await openRedis(url, 'bench'), bitcoin!.symbol)
    case 'an awaited XADD a trade':
      return awaitedAdds(new Redis(url))
    case 'pipelines of 100 XADDs':
      return pipelinedAdds(new Redis(url), 100)
    default:
      throw new Error(`there is no way "${name}" to append`)
  }
}

answerParent({
  async run() {
    await plain.flushall('SYNC')
    await way.prepare()
    const sample = await measured(port, trades.length, () => way.append(trades))
    const bytes = Number(await plain.call('MEMORY', 'USAGE', way.stream, 'SAMPLES', '0'))
    return { ...sample, bytes: bytes / trades.length }
  },
})
