import { openBarClient } from '@chart/grpc'
import { type CollectedSpan, startTraceCollector } from '@chart/testkit'
import { expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'

const MINUTE_MS = 60_000
/** The exchange's clock runs this many times as fast as ours, so that minutes close every few seconds. */
const SPEED = 10

test('the trace of a sampled trade goes from the ingestor through the aggregator to edge and persister', async () => {
  await using collector = await startTraceCollector()
  await using service = await LocalService.start({
    SYMBOLS: 'BTCUSDT',
    TRADES_PER_SECOND: '10',
    START_TIME: String(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS),
    SPEED: String(SPEED),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '1',
  })
  using client = openBarClient(service.run.grpc)
  const stop = new AbortController()
  const reading = readAll(client.streamBars({ symbols: ['BTCUSDT'], intervals: ['1m'] }, stop.signal)).catch(
    () => undefined,
  )

  const childOf = (parent: CollectedSpan, name: string) =>
    collector.spans.find(
      span => span.name === name && span.traceId === parent.traceId && span.parentSpanId === parent.spanId,
    )
  /** Every step of the trace that closed a minute, once it is there. */
  const wholeTrace = () => {
    for (const append of collector.spans.filter(span => span.name === 'append' && !span.failed)) {
      const commit = childOf(append, 'commit')
      const fanOut = commit && childOf(commit, 'fan-out')
      const store = commit && childOf(commit, 'store')
      if (fanOut && store && fanOut.attributes['chart.streams'] === 1) return { append, commit, fanOut, store }
    }
    return undefined
  }
  await service.until('a trade is traced from end to end', () => wholeTrace() !== undefined)
  await service.until('so is the call', () => collector.spans.some(span => span.name.endsWith('/StreamBars')))
  const { append, commit, fanOut, store } = wholeTrace()!
  expect(append).toMatchObject({ service: 'chart-ingestor', parentSpanId: '' })
  expect(append.attributes).toMatchObject({ 'chart.symbols': 'BTCUSDT' })
  expect(commit).toMatchObject({ service: 'chart-aggregator', failed: false })
  expect(fanOut).toMatchObject({ service: 'chart-edge', failed: false })
  expect(store).toMatchObject({ service: 'chart-persister', failed: false })
  expect(store.attributes['chart.stored_bars']).toBeGreaterThan(0)
  stop.abort()
  await reading
})

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
