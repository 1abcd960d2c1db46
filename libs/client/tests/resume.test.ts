import { timeOfTimestamp } from '@chart/grpc'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bars, type ChartClient, ChartError, type ChartEvent, openChartClient, type Reconnect } from '../src/index.ts'
import {
  closing,
  correction,
  gapOf,
  heartbeat,
  positionAt,
  ScriptedEdge,
  snapshot,
  soon,
  update,
} from './scripted-edge.ts'

/** Streams against an edge whose answers the test writes itself. */

const MINUTE_MS = 60_000
const SERIES = { symbols: ['BTCUSDT'], intervals: ['1m'] }

let edge: ScriptedEdge
let client: ChartClient
let address: string

beforeEach(async () => {
  edge = await ScriptedEdge.start()
  address = `127.0.0.1:${edge.port}`
  client = openChartClient({ address })
})
afterEach(async () => {
  client[Symbol.dispose]()
  await edge[Symbol.asyncDispose]()
})

/** The next events of a stream, in short. */
async function taken(stream: AsyncIterator<ChartEvent>, count: number): Promise<string[]> {
  const texts: string[] = []
  for (let n = 0; n < count; n++) {
    const { value, done } = await soon(`event ${n + 1} of ${count} after ${texts}`, stream.next())
    if (done === true) return [...texts, 'end']
    texts.push(textOf(value))
  }
  return texts
}

function textOf(event: ChartEvent): string {
  switch (event.event) {
    case 'heartbeat':
      return `heartbeat ${event.feed.state}`
    case 'gap':
      return `gap ${event.gap.startTime / MINUTE_MS}-${event.gap.endTime / MINUTE_MS}`
    default: {
      const { openTime, lastTradeId, revision } = event.bar
      return `${event.event} ${openTime / MINUTE_MS} ${lastTradeId}${revision > 0 ? ` r${revision}` : ''}`
    }
  }
}

test('a stream tells bars, feeds and gaps as they are, and cancels its call when the reader leaves', async () => {
  const stream = client.events({ ...SERIES, since: 3 * MINUTE_MS, mode: 'latest', maxUpdatesPerSecond: 2 })
  const [call] = await Promise.all([
    edge.call().then(call => {
      call.tell([gapOf(3, 5), closing(5), snapshot(6, 601), heartbeat()])
      return call
    }),
    taken(stream, 4).then(texts =>
      expect(texts).toEqual(['gap 3-5', 'closed 5 500', 'snapshot 6 601', 'heartbeat stale']),
    ),
  ])
  expect(call.request).toMatchObject({
    ...SERIES,
    mode: 'STREAM_MODE_LATEST',
    maxUpdatesPerSecond: 2,
    positions: [],
    startTime: { seconds: 180, nanos: 0 },
  })
  await stream.return()
  await soon('the edge sees the end', call.closed.promise)
})

test('bars yields bars alone, in the form of the library, and closes what it opened', async () => {
  const feeds: unknown[] = []
  const arrived = edge.call()
  const stream = bars({ ...SERIES, address, onFeed: feed => feeds.push(feed) })
  const first = stream.next()
  const call = await arrived
  call.tell([heartbeat(), snapshot(6, 601)])
  expect((await first).value).toEqual({
    event: 'snapshot',
    tradeTime: 1_234,
    merged: 0,
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime: 6 * MINUTE_MS,
    closeTime: 7 * MINUTE_MS - 1,
    open: '1.00000000',
    high: '1.00000000',
    low: '1.00000000',
    close: '1.00000000',
    baseVolume: '1.00000000',
    quoteVolume: '1.00000000',
    takerBuyBaseVolume: '0.00000000',
    takerBuyQuoteVolume: '0.00000000',
    tradeCount: 1,
    firstTradeId: 600,
    lastTradeId: 601,
    state: 'live',
    revision: 0,
    complete: true,
  })
  expect(feeds).toEqual([
    { symbol: 'BTCUSDT', state: 'stale', lastTradeId: 7, lastTradeTime: 1_000, watermark: 2_000, ageMs: 1_500 },
  ])
  expect((await stream.return()).done).toBe(true)
  await soon('the edge sees the end', call.closed.promise)
})

describe('after a call that ended', () => {
  test('the next one goes on from the newest version of each series, and repeats of it do not pass', async () => {
    const stream = client.events(SERIES)
    const first = edge.call()
    const before = taken(stream, 4)
    ;(await first).tell([snapshot(5, 501), closing(5, 505), correction(5, 1), update(6, 601)])
    expect(await before).toEqual(['snapshot 5 501', 'closed 5 505', 'corrected 5 550 r1', 'update 6 601'])
    const second = edge.call()
    const after = taken(stream, 4)
    ;(await first).fail('UNAVAILABLE')
    const call = await soon('another call', second)
    expect(timeOfTimestamp(call.request.startTime)).toBe(5 * MINUTE_MS)
    expect(call.request.positions).toMatchObject([
      {
        symbol: 'BTCUSDT',
        interval: '1m',
        newest: { openTime: { seconds: 360 }, state: 'BAR_STATE_LIVE', lastTradeId: 601 },
        corrected: [{ openTime: { seconds: 300 }, state: 'BAR_STATE_CLOSED', revision: 1, lastTradeId: 550 }],
      },
    ])
    // An edge that is behind: it knows less than the client.
    call.tell([snapshot(5, 504), closing(5, 505), correction(5, 1), update(6, 600), update(6, 601)])
    call.tell([update(6, 602), closing(6, 602), closing(6, 602), update(7, 701), closing(7, 701)])
    expect(await after).toEqual(['update 6 602', 'closed 6 602', 'update 7 701', 'closed 7 701'])
    await stream.return()
  })

  test('a time that was asked for stays the beginning; a series that was not told begins there', async () => {
    const stream = client.events({ symbols: ['BTCUSDT', 'ETHUSDT'], intervals: ['1m'], since: new Date(3 * MINUTE_MS) })
    const first = edge.call()
    const before = taken(stream, 1)
    ;(await first).tell([closing(3)])
    await before
    const second = edge.call()
    const after = taken(stream, 1)
    ;(await first).fail('UNAVAILABLE')
    const { request } = await soon('another call', second)
    expect(timeOfTimestamp(request.startTime)).toBe(3 * MINUTE_MS)
    expect(request.positions.map(({ symbol }) => symbol)).toEqual(['BTCUSDT'])
    await stream.return()
    await after
  })

  test('without a time, a series whose snapshot was outstanding begins with its live bar', async () => {
    const stream = client.events({ symbols: ['BTCUSDT', 'ETHUSDT'], intervals: ['1m'] })
    const first = edge.call()
    const before = taken(stream, 1)
    ;(await first).tell([snapshot(3)])
    await before
    const second = edge.call()
    const after = taken(stream, 1)
    ;(await first).fail('UNAVAILABLE')
    const call = await soon('another call', second)
    expect(call.request.startTime).toBeNull()
    expect(call.request.positions).toHaveLength(1)
    // A heartbeat comes after the snapshots: now ETHUSDT has no bar, and all that it will have is new.
    call.tell([heartbeat()])
    await after
    const third = edge.call()
    const later = taken(stream, 1)
    call.fail('UNAVAILABLE')
    expect(timeOfTimestamp((await soon('a third call', third)).request.startTime)).toBe(3 * MINUTE_MS)
    await stream.return()
    await later
  })

  test('a client of closed bars goes on from where the edge said that it stands', async () => {
    const stream = client.events({ ...SERIES, mode: 'closed' })
    const first = edge.call()
    const before = taken(stream, 1)
    ;(await first).tell([heartbeat()], [positionAt(6, 'LIVE', 601)])
    await before
    const second = edge.call()
    const after = taken(stream, 2)
    ;(await first).fail('UNAVAILABLE')
    const call = await soon('another call', second)
    expect(call.request).toMatchObject({
      mode: 'STREAM_MODE_CLOSED',
      startTime: { seconds: 360 },
      positions: [{ newest: { openTime: { seconds: 360 }, state: 'BAR_STATE_LIVE', lastTradeId: 601 } }],
    })
    call.tell([closing(5), closing(6), closing(7)])
    expect(await after).toEqual(['closed 6 600', 'closed 7 700'])
    await stream.return()
  })

  test('a gap is told once although every edge tells it', async () => {
    const stream = client.events({ ...SERIES, since: MINUTE_MS })
    const first = edge.call()
    const before = taken(stream, 1)
    ;(await first).tell([gapOf(1, 4)])
    await before
    const second = edge.call()
    const after = taken(stream, 2)
    ;(await first).fail('UNAVAILABLE')
    ;(await soon('another call', second)).tell([gapOf(1, 4), gapOf(1, 6), closing(6)])
    expect(await after).toEqual(['gap 4-6', 'closed 6 600'])
    await stream.return()
  })

  test('the reader hears why, and the pause grows while nothing comes', async () => {
    const reconnects: Reconnect[] = []
    const stream = client.events({ ...SERIES, onReconnect: reconnect => reconnects.push(reconnect) })
    const first = edge.call()
    const event = taken(stream, 1)
    ;(await first).tell([snapshot(1)])
    await event
    const next = taken(stream, 1)
    for (const [index, code] of (['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE'] as const).entries()) {
      const following = edge.call()
      edge.calls.at(-1)!.fail(code, `reason ${index}`)
      await soon('another call', following)
    }
    expect(reconnects.map(({ code, details }) => `${code} ${details}`)).toEqual([
      'UNAVAILABLE reason 0',
      'RESOURCE_EXHAUSTED reason 1',
      'UNAVAILABLE reason 2',
    ])
    for (const [index, { pauseMs }] of reconnects.entries()) expect(pauseMs).toBeLessThanOrEqual(250 * 2 ** index)
    edge.calls.at(-1)!.tell([update(1, 101)])
    expect(await next).toEqual(['update 1 101'])
    await stream.return()
  })

  test.each([
    ['INVALID_ARGUMENT', 'symbols is empty'],
    ['NOT_FOUND', 'symbol NOPE is not served'],
    ['RESOURCE_EXHAUSTED', 'too many calls'],
  ] as const)('%s is thrown with the words of the edge', async (code, details) => {
    const stream = client.events(SERIES)
    const arrived = edge.call()
    const next = stream.next()
    ;(await arrived).fail(code, details)
    const error = await soon(
      'the error',
      next.catch(error => error),
    )
    expect(error).toBeInstanceOf(ChartError)
    expect(error).toMatchObject({
      code,
      details,
      address,
      message: expect.stringContaining(`${details} (${code} from ${address}`),
    })
    expect((await stream.next()).done).toBe(true)
    expect(edge.calls).toHaveLength(1)
  })
})

test('an edge that says nothing is left for another call', async () => {
  const reconnects: Reconnect[] = []
  const stream = client.events({ ...SERIES, silenceMaxMs: 200, onReconnect: reconnect => reconnects.push(reconnect) })
  const first = edge.call()
  const event = taken(stream, 1)
  ;(await first).tell([snapshot(1)])
  await event
  const second = edge.call()
  const next = taken(stream, 1)
  await soon('another call', second)
  await soon('the silent call is cancelled', (await first).closed.promise)
  expect(reconnects[0]).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: 'the edge said nothing for 200 ms' })
  await stream.return()
  await next
})

describe('a reader that leaves while the market is quiet', () => {
  test.each(['return', 'signal', 'client'] as const)('by %s ends at once, and the edge sees it', async how => {
    const stop = new AbortController()
    const stream = client.events({ ...SERIES, signal: stop.signal })
    const arrived = edge.call()
    const event = taken(stream, 1)
    const call = await arrived
    call.tell([snapshot(1)])
    await event
    const next = stream.next()
    if (how === 'return') await soon('return', stream.return())
    else if (how === 'signal') stop.abort()
    else client[Symbol.dispose]()
    expect((await soon('the end', next)).done).toBe(true)
    await soon('the edge sees the end', call.closed.promise)
    expect(edge.calls).toHaveLength(1)
  })

  test('during the pause between two calls makes no further call', async () => {
    const stop = new AbortController()
    const stream = client.events({ ...SERIES, signal: stop.signal, onReconnect: () => stop.abort() })
    const arrived = edge.call()
    const next = stream.next()
    ;(await arrived).fail('UNAVAILABLE')
    expect((await soon('the end', next)).done).toBe(true)
    expect(edge.calls).toHaveLength(1)
  })

  test('before it began makes no call', async () => {
    expect((await client.bars({ ...SERIES, signal: AbortSignal.abort() }).next()).done).toBe(true)
    expect(edge.calls).toHaveLength(0)
  })
})
