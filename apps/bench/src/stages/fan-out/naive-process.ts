/**
 * A process of the benchmark: what one would write first. Each trade is a bar, each bar a message object for each call that follows it,
 * serialized by grpc-js for each call anew, and written whether the client keeps up or not.
 */
import { fileURLToPath } from 'node:url'
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
import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { answerParent } from '../../harness/bench-process.ts'

const PROTO = fileURLToPath(new URL('../../../../../proto', import.meta.url))

type Call = ServerWritableStream<{ symbols: string[]; intervals: string[] }, object>

const calls = new Map<string, Set<Call>>()
const bars = new Map<string, Bar>()

answerParent({
  async serve({ redisUrl, tags, interval }: { redisUrl: string; tags: string[]; interval: string }): Promise<number> {
    const followed = intervalOf(interval)
    const updates = await openBarUpdates({
      url: redisUrl,
      name: 'naive',
      onUpdate(_, bytes) {
        for (const one of decodeUpdate(bytes).symbols) publish(one, followed)
      },
      onReconnect: () => undefined,
    })
    for (const tag of tags) await updates.subscribe(tag)
    return listen()
  },
})

function listen(): Promise<number> {
  const definition = loadSync('chart/v1/chart.proto', { includeDirs: [PROTO], longs: Number, enums: String })
  const { chart } = loadPackageDefinition(definition) as unknown as {
    chart: { v1: { ChartService: ServiceClientConstructor } }
  }
  const server = new Server()
  server.addService(chart.v1.ChartService.service, {
    streamBars(call: Call) {
      for (const symbol of call.request.symbols) {
        const following = calls.get(symbol) ?? new Set()
        calls.set(symbol, following.add(call))
        call.on('cancelled', () => following.delete(call))
      }
      call.sendMetadata(new Metadata())
    },
  })
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}

function publish({ symbol, trades }: SymbolUpdate, interval: Interval): void {
  for (const run of trades) {
    for (const trade of unpackTrades(run).trades) {
      const openTime = openTimeOf(interval, trade.tradeTime)
      const last = bars.get(symbol)
      const bar =
        last?.openTime === openTime
          ? applyTradeToBar(last, trade, EXCHANGE_SCALES)
          : barOfTrade(symbol, interval, openTime, trade, EXCHANGE_SCALES, true)
      bars.set(symbol, bar)
      const event = {
        type: 'BAR_EVENT_TYPE_UPDATE',
        bar: messageOfBar(textOfBar(bar, EXCHANGE_SCALES)),
        tradeTime: timestampOfTime(trade.tradeTime),
      }
      for (const call of calls.get(symbol) ?? []) call.write({ events: [event] })
    }
  }
}
