/** A process of the benchmark: the edge that one would write first. Each published bar is parsed and written as an object to each call. */
import { timestampOfTime } from '@chart/grpc'
import { Redis } from 'ioredis'
import { answerParent } from '../harness/bench-process.ts'
import { serveNaively } from '../stages/fan-out/naive-server.ts'
import { CHANNEL, type PublishedBar } from './per-trade.ts'
import type { Place } from './stand-in-service.ts'

const MINUTE_MS = 60_000

answerParent({
  async open({ redisPort }: Place): Promise<number> {
    const server = await serveNaively()
    const redis = new Redis(redisPort)
    redis.on('message', (_, text) => {
      const bar = JSON.parse(text) as PublishedBar
      server.tell(bar.symbol, eventOf(bar))
    })
    await redis.subscribe(CHANNEL)
    return server.port
  },
})

function eventOf(bar: PublishedBar): object {
  return {
    type: 'BAR_EVENT_TYPE_UPDATE',
    bar: {
      symbol: bar.symbol,
      interval: '1m',
      openTime: timestampOfTime(bar.openTime),
      closeTime: timestampOfTime(bar.openTime + MINUTE_MS),
      open: String(bar.open),
      high: String(bar.high),
      low: String(bar.low),
      close: String(bar.close),
      baseVolume: String(bar.volume),
      quoteVolume: String(bar.quote),
      takerBuyBaseVolume: String(bar.taker),
      tradeCount: bar.count,
      state: 'BAR_STATE_LIVE',
    },
    tradeTime: timestampOfTime(bar.tradeTime),
  }
}
