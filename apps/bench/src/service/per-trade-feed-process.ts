/** A process of the benchmark: the ingestor that one would write first. Each trade is parsed and becomes an entry with a field for each value. */
import { Redis } from 'ioredis'
import { WebSocket } from 'ws'
import { answerParent } from '../harness/bench-process.ts'
import { streamOf } from './per-trade.ts'
import type { Place } from './stand-in-service.ts'

/** So many that none is cut off before it was read, although readers are behind by seconds. */
const KEPT_ENTRIES = 500_000

/** What is used of a frame. */
interface Frame {
  readonly data?: {
    readonly e: string
    readonly s: string
    readonly t: number
    readonly T: number
    readonly p: string
    readonly q: string
    readonly m: boolean
  }
}

answerParent({
  async open({ streamUrl, redisPort, symbols }: Place): Promise<void> {
    const redis = new Redis(redisPort, { enableAutoPipelining: true })
    const socket = new WebSocket(`${streamUrl}/stream`, { perMessageDeflate: false })
    await new Promise(resolve => socket.once('open', resolve))
    socket.on('message', (frame: Buffer) => {
      const { data } = JSON.parse(frame.toString()) as Frame
      if (data?.e !== 'trade') return
      const fields = ['t', data.T, 'p', data.p, 'q', data.q, 's', data.m ? 's' : 'b']
      void redis.xadd(streamOf(data.s), 'MAXLEN', '~', KEPT_ENTRIES, `${data.t}-0`, ...fields)
    })
    const params = symbols.map(symbol => `${symbol.toLowerCase()}@trade`)
    socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }))
  },
})
