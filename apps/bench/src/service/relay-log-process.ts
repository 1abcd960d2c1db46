/**
 * A process of the benchmark: the floor of an aggregator. Publishes for each entry of a stream a bar of each of its symbols that is ready and
 * always the same. Trades are not looked at, nothing is stored, and no two of them would notice each other.
 */
import { encodeBar, encodeUpdate, type SymbolUpdate } from '@chart/grpc'
import { EXCHANGE_SCALES, flatBar, intervalOf, textOfBar, VarintWriter } from '@chart/market'
import { updatesChannel } from '@chart/redis'
import { Redis } from 'ioredis'
import { answerParent } from '../harness/bench-process.ts'

export interface RelayLog {
  readonly redisPort: number
  /** The stream that is read. */
  readonly key: string
  /** Whose channel is published to. */
  readonly tag: string
}

/** As many as an aggregator reads at a time. */
const READ_ENTRIES_MAX = 200
const HEAD_BYTES_MAX = 64
/** Of a run of trades, before their number: three scales and two counts of zeros. */
const SCALES_AND_ZEROS = 5

/** With nine digits before the point, so that it is as long as a real one. */
const PRICE = 6_183_763_000_000n
const bars = new Map<string, Uint8Array>()

answerParent({
  open({ redisPort, key, tag }: RelayLog): void {
    void relay(new Redis(redisPort), new Redis(redisPort), key, updatesChannel(tag))
  },
})

async function relay(reader: Redis, redis: Redis, key: string, channel: string): Promise<void> {
  let after = '$'
  for (let position = 1; ; ) {
    const reply = await reader.xread('COUNT', READ_ENTRIES_MAX, 'BLOCK', 0, 'STREAMS', key, after)
    const published: Promise<unknown>[] = []
    for (const [id, [, lines]] of reply![0]![1]) {
      after = id
      const symbols = lines!.split('\n').map(updateOf)
      const update = encodeUpdate({ position, previousPosition: position - 1, symbols })
      position++
      published.push(redis.spublish(channel, Buffer.from(update.buffer, update.byteOffset, update.byteLength)))
    }
    await Promise.all(published)
  }
}

function updateOf(line: string): SymbolUpdate {
  const [symbol, count, time] = line.split(' ') as [string, string, string]
  const live = [{ interval: '1m', openTime: 0, corrected: false, bar: readyBarOf(symbol) }]
  return { symbol, throughTradeId: 0, throughTime: 0, live, closed: [], trades: [headOf(Number(count), Number(time))] }
}

function readyBarOf(symbol: string): Uint8Array {
  let bar = bars.get(symbol)
  if (bar === undefined) {
    bar = encodeBar(textOfBar(flatBar(symbol, intervalOf('1m'), 0, PRICE, 'live', true), EXCHANGE_SCALES))
    bars.set(symbol, bar)
  }
  return bar
}

/** The beginning of a run of trades, which is all that the floor of an edge looks at. */
function headOf(count: number, time: number): Uint8Array {
  const writer = new VarintWriter(HEAD_BYTES_MAX)
  for (let number = 0; number < SCALES_AND_ZEROS; number++) writer.number(0)
  writer.number(count)
  writer.number(1)
  writer.number(time)
  return writer.bytes()
}
