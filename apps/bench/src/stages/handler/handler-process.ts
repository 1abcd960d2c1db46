/** A process of the benchmark: makes of each update of an aggregator the bytes of the message that subscribers are sent, in one way. */
import { fileURLToPath } from 'node:url'
import { messagesOf } from '@chart/edge/keyed-event'
import { WatchedSymbol } from '@chart/edge/watched-symbol'
import { decodeBar, decodeUpdate, frameBarEvent, messageOfBar, timestampOfTime } from '@chart/grpc'
import { unpackTrades } from '@chart/market'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import { answerParent } from '../../harness/bench-process.ts'
import type { Sample } from '../../harness/stage.ts'
import { startStopwatch } from '../../harness/stopwatch.ts'
import { barBefore, INTERVAL, madeUpdates, SYMBOL } from './made-updates.ts'

const PROTO = fileURLToPath(new URL('../../../../../proto', import.meta.url))
/** Read before anything is measured, while V8 still compiles. */
const WARM_UPDATES = 300_000
/** Compared with each other before anything is measured. */
const COMPARED_UPDATES = 200

/** Makes messages of updates, one of each, from the first on. */
type Way = () => (update: Buffer) => Uint8Array

// With defaults, since one way writes zeros that the other leaves out.
const OPTIONS = { includeDirs: [PROTO], longs: Number, enums: String, defaults: true }
const { responseSerialize, responseDeserialize } = (
  loadSync('chart/v1/chart.proto', OPTIONS)['chart.v1.ChartService'] as ServiceDefinition
).StreamBars!

/** As the edge does for one subscription: `latest` tells the bar after the update, `every-trade` folds the steps to it. */
const ours = (mode: 'latest' | 'every-trade') => () => {
  const watched = new WatchedSymbol(SYMBOL, '{p00}', [INTERVAL], () => true)
  const bar = barBefore()
  const series = new Map([[INTERVAL.name, { live: bar, closed: [] }]])
  watched.restore({ position: 0, throughTradeId: bar.lastTradeId, throughTime: bar.openTime, series }, new Map())
  return (update: Buffer) => {
    const events = decodeUpdate(update).symbols.flatMap(one =>
      watched
        .follow(one, () => mode)!
        .flatMap(({ key, latest, everyTrade }) =>
          (mode === 'latest' ? latest : everyTrade).map(event => ({ key, event })),
        ),
    )
    return messagesOf(events)[0]!.bytes
  }
}

const WAYS: Readonly<Record<string, Way>> = {
  'the latest bar': ours('latest'),
  'every trade': ours('every-trade'),
  'framed, nothing kept': () => update => {
    const [one] = decodeUpdate(update).symbols
    return frameBarEvent('update', one!.live[0]!.bar, one!.throughTime)
  },
  'decoded, and encoded again': () => update => {
    const [one] = decodeUpdate(update).symbols
    const { tradeTime } = unpackTrades(one!.trades[0]!).trades[0]!
    const bar = messageOfBar(decodeBar(one!.live[0]!.bar))
    return responseSerialize({
      events: [{ type: 'BAR_EVENT_TYPE_UPDATE', bar, tradeTime: timestampOfTime(tradeTime) }],
    })
  },
}

let updates: Buffer[] = []
let way: Way
/** The last run's bytes, kept so that no run is for nothing. */
const last = { bytes: 0 }

answerParent({
  /** @throws Error when a message says something else than that of another way */
  open({ name, count }: { name: string; count: number }): void {
    updates = madeUpdates(count)
    way = WAYS[name]!
    compare(way, WAYS['decoded, and encoded again']!)
    for (let read = 0; read < WARM_UPDATES; read += updates.length) makeAll()
  },
  run(): Sample {
    const rates = startStopwatch()
    makeAll()
    return { ...rates(updates.length) }
  },
})

function makeAll(): void {
  const messageOf = way()
  last.bytes = 0
  for (const update of updates) last.bytes += messageOf(update).length
}

function compare(one: Way, other: Way): void {
  const [messageOf, expectedOf] = [one(), other()]
  for (const update of updates.slice(0, COMPARED_UPDATES)) {
    const [message, expected] = [messageOf(update), expectedOf(update)].map(bytes =>
      JSON.stringify(responseDeserialize(Buffer.from(bytes))),
    )
    if (message !== expected) throw new Error(`handler: ${message} instead of ${expected}`)
  }
}
