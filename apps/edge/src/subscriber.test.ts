import { type BarStream, decodeResponse, encodeBar, frameBarEvent, type RpcError } from '@chart/grpc'
import { expect, test, vi } from 'vitest'
import { barText } from '../tests/bar-text.ts'
import { countOf, testMetrics } from '../tests/test-metrics.ts'
import { MESSAGE_BYTES_MAX } from './keyed-event.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { closedEventOf, liveEventOf, type SeriesEvent } from './series-event.ts'
import { type StreamMode, SubscriberGroup } from './subscriber-group.ts'

/** A client's call that reads only when told to. */
class TestStream implements BarStream {
  readonly messages: Uint8Array[] = []
  reading = true
  error: RpcError | undefined
  #drained: (() => void)[] = []
  #closed: (() => void)[] = []
  #isClosed = false

  write(response: Uint8Array): boolean {
    if (this.#isClosed) return false
    this.messages.push(response)
    return this.reading
  }
  onDrain(listener: () => void): void {
    this.#drained.push(listener)
  }
  onClose(listener: () => void): void {
    if (this.#isClosed) listener()
    else this.#closed.push(listener)
  }
  fail(error: RpcError): void {
    if (this.#isClosed) return
    this.error = error
    this.close()
  }

  close(): void {
    this.#isClosed = true
    for (const listener of this.#closed) listener()
  }
  drain(reading: boolean): void {
    this.reading = reading
    for (const listener of this.#drained) listener()
  }
  /** What was read: `closed 3` is the closed bar of minute 3. */
  read(): string[] {
    const events = this.messages.splice(0).flatMap(message => decodeResponse(message).events)
    return events.map(event => {
      const type = event.type.slice('BAR_EVENT_TYPE_'.length).toLowerCase()
      return event.bar === null ? type : `${type} ${Number(event.bar.openTime.seconds) / 60}:${event.bar.tradeCount}`
    })
  }
}

function eventOf(type: SeriesEvent['type'], minute: number, tradeCount = 1): SeriesEvent {
  const openTime = minute * 60_000
  const text = barText({ openTime, closeTime: openTime + 59_999, tradeCount })
  if (type === 'closed' || type === 'corrected') return closedEventOf(type, text, encodeBar(text))
  if (type === 'heartbeat' || type === 'gap')
    return { type, openTime: 0, frame: frameBarEvent(type, encodeBar(text), 0) }
  return liveEventOf(type, openTime, encodeBar(text), 0, tradeCount)
}

const nextTurn = () => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

function groupOf(mode: StreamMode, updateGapMs = 0) {
  const metrics = testMetrics()
  const seriesKeys = ['A 1m', 'B 1m']
  const positions = () => new Uint8Array()
  return {
    group: new SubscriberGroup({ seriesKeys, mode, updateGapMs, metrics, limits: DEFAULT_LIMITS, positions }),
    metrics,
  }
}

test('everything of one turn is one message, the same bytes for all calls of the group', async () => {
  const { group } = groupOf('every-trade')
  const streams = [new TestStream(), new TestStream()]
  for (const stream of streams) group.join(stream, [])
  group.push('A 1m', eventOf('update', 1, 1))
  group.push('A 1m', eventOf('update', 1, 2))
  group.push('B 1m', eventOf('update', 1, 3))
  await nextTurn()
  expect(streams[0]!.messages).toHaveLength(1)
  expect(streams[1]!.messages[0]).toBe(streams[0]!.messages[0])
  expect(streams[0]!.read()).toEqual(['update 1:1', 'update 1:2', 'update 1:3'])
})

test('who joins in the middle of a turn gets the snapshot and only what comes after it', async () => {
  const { group } = groupOf('every-trade')
  const [early, late] = [new TestStream(), new TestStream()]
  group.join(early, [])
  group.push('A 1m', eventOf('update', 1, 1))
  group.join(late, [{ key: 'A 1m', event: eventOf('snapshot', 1, 1) }])
  group.push('A 1m', eventOf('update', 1, 2))
  await nextTurn()
  expect(early.read()).toEqual(['update 1:1', 'update 1:2'])
  expect(late.read()).toEqual(['snapshot 1:1', 'update 1:2'])
})

test('the latest mode leaves out live bars that a newer one of the turn replaces, and no closed bar', async () => {
  const { group } = groupOf('latest')
  const stream = new TestStream()
  group.join(stream, [])
  group.push('A 1m', eventOf('update', 1, 1))
  group.push('A 1m', eventOf('closed', 1, 1))
  group.push('A 1m', eventOf('update', 2, 1))
  group.push('B 1m', eventOf('update', 1, 7))
  group.push('A 1m', eventOf('update', 2, 2))
  await nextTurn()
  expect(stream.read()).toEqual(['closed 1:1', 'update 1:7', 'update 2:2'])
})

test('the closed mode gets closed and corrected bars and heartbeats', async () => {
  const { group } = groupOf('closed')
  const stream = new TestStream()
  group.join(stream, [])
  for (const type of ['update', 'closed', 'corrected', 'snapshot', 'heartbeat'] as const) {
    group.push('A 1m', eventOf(type, 1))
  }
  await nextTurn()
  expect(stream.read().map(text => text.split(' ')[0])).toEqual(['closed', 'corrected', 'heartbeat'])
})

test('a message stays below what clients accept, whatever a turn brings, and nothing is lost or reordered', async () => {
  const { group } = groupOf('every-trade')
  const [quick, slow] = [new TestStream(), new TestStream()]
  slow.reading = false
  for (const stream of [quick, slow]) group.join(stream, [])
  for (let count = 1; count <= 20_000; count++) group.push('A 1m', eventOf('update', 1, count))
  await nextTurn()
  expect(quick.messages.length).toBeGreaterThan(1)
  for (const message of quick.messages) expect(message.length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX)
  expect(quick.read()).toEqual(Array.from({ length: 20_000 }, (_, index) => `update 1:${index + 1}`))
  expect(slow.messages).toHaveLength(1)
  slow.drain(true)
  expect(slow.read().at(-1)).toBe('update 1:20000')
})

test('a client that does not read is written nothing more and kept one live bar a series and every closed bar, in order', async () => {
  const { group, metrics } = groupOf('every-trade')
  const [slow, quick] = [new TestStream(), new TestStream()]
  for (const stream of [slow, quick]) group.join(stream, [])
  slow.reading = false
  for (let minute = 1; minute <= 3; minute++) {
    for (let count = 1; count <= 100; count++) {
      group.push('A 1m', eventOf('update', minute, count))
      group.push('B 1m', eventOf('update', minute, count))
      await nextTurn()
    }
    group.push('A 1m', eventOf('closed', minute, 100))
    group.push('A 1m', { ...eventOf('heartbeat', 0), openTime: 0 })
  }
  group.push('A 1m', eventOf('update', 4, 1))
  await nextTurn()
  expect(quick.read()).toHaveLength(607)
  expect(slow.read()).toEqual(['update 1:1', 'update 1:1'])
  slow.drain(true)
  expect(slow.read()).toEqual(['closed 1:100', 'closed 2:100', 'closed 3:100', 'update 3:100', 'update 4:1'])
  expect(await countOf(metrics.merged)).toBeGreaterThan(500)
  group.push('A 1m', eventOf('update', 4, 2))
  await nextTurn()
  expect(slow.read()).toEqual(['update 4:2'])
})

test('closed bars beyond the bound end the call with RESOURCE_EXHAUSTED, and only this one', async () => {
  const { group, metrics } = groupOf('closed')
  const [stuck, quick] = [new TestStream(), new TestStream()]
  stuck.reading = false
  for (const stream of [stuck, quick]) {
    const subscriber = group.join(stream, [])
    stream.onClose(() => group.leave(subscriber))
  }
  for (let minute = 1; minute <= 4_002 && stuck.error === undefined; minute++) {
    group.push('A 1m', eventOf('closed', minute))
    await nextTurn()
  }
  expect(stuck.error).toMatchObject({ rpcCode: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('4000') })
  expect(stuck.messages).toHaveLength(1)
  expect(group.size).toBe(1)
  expect(quick.messages).toHaveLength(4_002)
  expect(await countOf(metrics.evicted)).toBe(1)
})

test('a client that has not read for half a minute is let go of, one that read in between is not', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const { group } = groupOf('every-trade')
    const [stuck, slow] = [new TestStream(), new TestStream()]
    for (const stream of [stuck, slow]) {
      stream.reading = false
      group.join(stream, [{ key: 'A 1m', event: eventOf('snapshot', 1) }])
    }
    vi.advanceTimersByTime(29_000)
    slow.drain(true)
    vi.advanceTimersByTime(2_000)
    expect(stuck.error?.rpcCode).toBe('RESOURCE_EXHAUSTED')
    expect(slow.error).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('a call that ended before it joined is neither written nor counted as slow', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const { group, metrics } = groupOf('every-trade')
    const stream = new TestStream()
    stream.close()
    group.join(stream, [{ key: 'A 1m', event: eventOf('snapshot', 1) }])
    expect(vi.getTimerCount()).toBe(0)
    expect(await countOf(metrics.writes)).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
