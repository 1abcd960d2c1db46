/**
 * A process of the benchmark: the floor of an ingestor. Receives frames and puts into a stream of Redis how many of each symbol there were,
 * one call under way at a time. Ids, prices, holes and who else may write are not looked at.
 */
import { Redis } from 'ioredis'
import { WebSocket } from 'ws'
import { answerParent } from '../harness/bench-process.ts'

export interface RelayFeed {
  readonly streamUrl: string
  readonly redisPort: number
  readonly symbols: readonly string[]
  /** The stream. */
  readonly key: string
}

/** `{"stream":"sym0usdt@trade","data":{"e":"trade","E":1700000000000,…`: the symbol in small letters, and when it was. */
const SYMBOL_AT = '{"stream":"'.length
const AT_SIGN = 0x40
const TIME_AFTER = '@trade","data":{"e":"trade","E":'.length
const TIME_DIGITS = 13
/** As many as the stream of an aggregator keeps, and some more. */
const KEPT_ENTRIES = 2_000

/** Trades since the last call, by symbol; the time is that of the first. */
let waiting = new Map<string, { count: number; readonly time: string }>()
let isAppending = false

answerParent({
  async open({ streamUrl, redisPort, symbols, key }: RelayFeed): Promise<void> {
    const redis = new Redis(redisPort)
    const socket = new WebSocket(`${streamUrl}/stream`, { perMessageDeflate: false, skipUTF8Validation: true })
    await new Promise(resolve => socket.once('open', resolve))
    socket.on('message', (frame: Buffer) => {
      const end = frame.indexOf(AT_SIGN)
      if (end < 0) return
      const symbol = frame.toString('latin1', SYMBOL_AT, end)
      const known = waiting.get(symbol)
      if (known !== undefined) known.count++
      else {
        const time = frame.toString('latin1', end + TIME_AFTER, end + TIME_AFTER + TIME_DIGITS)
        waiting.set(symbol, { count: 1, time })
      }
      if (!isAppending) void append(redis, key)
    })
    const params = symbols.map(symbol => `${symbol.toLowerCase()}@trade`)
    socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }))
  },
})

async function append(redis: Redis, key: string): Promise<void> {
  isAppending = true
  // What came with the same piece of the socket rides along.
  await new Promise(resolve => setImmediate(resolve))
  while (waiting.size > 0) {
    const lines = [...waiting].map(([symbol, { count, time }]) => `${symbol.toUpperCase()} ${count} ${time}`)
    waiting = new Map()
    await redis.xadd(key, 'MAXLEN', '~', KEPT_ENTRIES, '*', 'p', lines.join('\n'))
  }
  isAppending = false
}
