/**
 * A process of the benchmark: what one would write first. Each trade is a bar, each bar a message object for each call that follows it.
 */
import { decodeUpdate, messageOfBar, type SymbolUpdate, timestampOfTime } from '@chart/grpc'
import {
  applyTradeToBar,
  type Bar,
  barOfTrade,
  EXCHANGE_SCALES,
  type Interval,
  intervalOf,
  openTimeOf,
  textOfBar,
  unpackTrades,
} from '@chart/market'
import { openBarUpdates } from '@chart/redis'
import { answerParent } from '../../harness/bench-process.ts'
import { type NaiveServer, serveNaively } from './naive-server.ts'

const bars = new Map<string, Bar>()

answerParent({
  async serve({ redisUrl, tags, interval }: { redisUrl: string; tags: string[]; interval: string }): Promise<number> {
    const followed = intervalOf(interval)
    const server = await serveNaively()
    const updates = await openBarUpdates({
      url: redisUrl,
      name: 'naive',
      onUpdate(_, bytes) {
        for (const one of decodeUpdate(bytes).symbols) publish(server, one, followed)
      },
      onReconnect: () => undefined,
    })
    for (const tag of tags) await updates.subscribe(tag)
    return server.port
  },
})

function publish(server: NaiveServer, { symbol, trades }: SymbolUpdate, interval: Interval): void {
  for (const run of trades) {
    for (const trade of unpackTrades(run).trades) {
      const openTime = openTimeOf(interval, trade.tradeTime)
      const last = bars.get(symbol)
      const bar =
        last?.openTime === openTime
          ? applyTradeToBar(last, trade, EXCHANGE_SCALES)
          : barOfTrade(symbol, interval, openTime, trade, EXCHANGE_SCALES, true)
      bars.set(symbol, bar)
      server.tell(symbol, {
        type: 'BAR_EVENT_TYPE_UPDATE',
        bar: messageOfBar(textOfBar(bar, EXCHANGE_SCALES)),
        tradeTime: timestampOfTime(trade.tradeTime),
      })
    }
  }
}
