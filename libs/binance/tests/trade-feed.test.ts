import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FeedEvent, openTradeFeed, type TradeFeedOptions } from '../src/index.ts'
import { mostWithinASecond, PULSE_STREAM, pulseOf, StreamServer, tradeOf } from './stream-server.ts'

const T0 = 1_770_076_800_000

let server: StreamServer
let stop: AbortController
let readers: Reader[]

beforeEach(async () => {
  server = await StreamServer.open()
  stop = new AbortController()
  readers = []
})
afterEach(async () => {
  stop.abort()
  await Promise.all(readers.map(reader => reader.done))
  await server.close()
})

/** Reads a feed to its end and lets a test wait for what it has read. */
class Reader {
  readonly events: FeedEvent[] = []
  readonly batches: number[] = []
  readonly done: Promise<void>
  #wake: () => void = () => {}

  constructor(feed: AsyncIterable<readonly FeedEvent[]>) {
    this.done = this.#read(feed)
  }

  kinds(): string[] {
    return this.events.map(event => event.kind)
  }

  tradeIds(symbol: string): number[] {
    return this.events.flatMap(event => (event.kind === 'trade' && event.symbol === symbol ? event.trade.tradeId : []))
  }

  count(kind: FeedEvent['kind']): number {
    return this.events.filter(event => event.kind === kind).length
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async #read(feed: AsyncIterable<readonly FeedEvent[]>): Promise<void> {
    for await (const batch of feed) {
      expect(batch.length).toBeGreaterThan(0)
      this.batches.push(batch.length)
      this.events.push(...batch)
      this.#wake()
    }
    this.#wake()
  }
}

function feedOf(options: Partial<TradeFeedOptions> = {}) {
  return openTradeFeed({
    streamUrl: server.url,
    symbols: ['BTCUSDT', 'ETHUSDT'],
    signal: stop.signal,
    backoff: { firstMs: 1, longestMs: 5 },
    ...options,
  })
}

function read(options: Partial<TradeFeedOptions> = {}): Reader {
  const reader = new Reader(feedOf(options))
  readers.push(reader)
  return reader
}

/**
 * A market of one symbol: a trade each step with the next id, and a pulse every tenth. Its clock runs `msPerStep` a step, so that an
 * overlap of exchange time passes quickly. `sent` is the last id.
 */
function runMarket(symbol = 'BTCUSDT', msPerStep = 50) {
  const market = { sent: 0, stop: () => {} }
  market.stop = server.every(2, () => {
    market.sent++
    const time = T0 + market.sent * msPerStep
    server.trade(symbol, market.sent, time)
    if (market.sent % 10 === 0) server.pulse(time)
  })
  return market
}

/** Everything from the first id to the last, whatever came twice. */
function expectNoHole(ids: readonly number[]): void {
  const known = [...new Set(ids)].sort((a, b) => a - b)
  expect(known).toEqual(Array.from({ length: known.length }, (_, index) => known[0]! + index))
}

describe('a feed', () => {
  it('gives trades and pulses in the order they came, after saying that it is connected', async () => {
    const reader = read()
    await server.until(() => server.clients[0]?.streams.size === 3)
    expect(server.clients[0]?.path).toBe('/stream')
    expect([...server.clients[0]!.streams].sort()).toEqual(['btcusdt@kline_1s', 'btcusdt@trade', 'ethusdt@trade'])
    server.pulse(T0)
    for (let id = 1; id <= 500; id++) {
      server.trade('BTCUSDT', id, T0 + id)
      server.trade('ETHUSDT', id + 7_000, T0 + id)
    }
    server.pulse(T0 + 1_000)
    await reader.until(() => reader.count('pulse') === 2)
    expect(reader.kinds()[0]).toBe('connected')
    expect(reader.tradeIds('BTCUSDT')).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
    expect(reader.tradeIds('ETHUSDT')).toEqual(Array.from({ length: 500 }, (_, index) => index + 7_001))
    expect(reader.events.at(-1)).toEqual({ kind: 'pulse', eventTime: T0 + 1_000 })
    // Many messages of one read of the socket are one batch.
    expect(reader.batches.length).toBeLessThan(500)
  })

  it('passes on what is malformed, takes a trade nobody asked for as a pulse, and goes on', async () => {
    const reader = read()
    await server.until(() => server.clients[0]?.streams.size === 3)
    const client = server.clients[0]!
    server.pulse(T0)
    client.socket.send('{"oops\u0007')
    server.sendTo(client, 'btcusdt@trade', { ...tradeOf('BTCUSDT', 1, T0), p: '-1' })
    server.sendTo(client, 'xrpusdt@trade', tradeOf('XRPUSDT', 1, T0 + 99))
    server.trade('BTCUSDT', 2, T0 + 100)
    await reader.until(() => reader.count('trade') === 1)
    expect(reader.events.slice(1)).toMatchObject([
      { kind: 'pulse', eventTime: T0 },
      { kind: 'malformed', reason: 'the frame is not JSON', sample: '{"oops?' },
      { kind: 'malformed', reason: 'the price is not above zero', sample: expect.stringContaining('"p":"-1"') },
      { kind: 'pulse', eventTime: T0 + 100 },
      { kind: 'trade', symbol: 'BTCUSDT', trade: { tradeId: 2 } },
    ])
  })

  it('refuses something that is no symbol before it dials', () => {
    expect(() => feedOf({ symbols: ['btc/usdt'] })).toThrow(RangeError)
  })

  it('closes its sockets and ends when aborted, and when the consumer breaks off', async () => {
    const market = runMarket()
    const reader = read()
    await reader.until(() => reader.count('trade') > 0)
    stop.abort()
    await reader.done
    await server.until(() => server.openClients.length === 0)
    stop = new AbortController()
    for await (const batch of feedOf()) if (batch.some(event => event.kind === 'trade')) break
    await server.until(() => server.clients.length === 2 && server.openClients.length === 0)
    market.stop()
  })

  it('ends also while it is dialling a server that does not answer', async () => {
    const sockets: Socket[] = []
    const silent = createServer(socket => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const reader = read({ streamUrl: `ws://127.0.0.1:${(silent.address() as AddressInfo).port}` })
    await once(silent, 'connection')
    stop.abort()
    await reader.done
    for (const socket of sockets) socket.destroy()
    silent.close()
    expect(reader.events).toEqual([])
  })
})

describe('subscriptions', () => {
  it('of 1,500 symbols need two connections and never more than five messages a second, pongs included', async () => {
    const symbols = Array.from({ length: 1_500 }, (_, index) => `COIN${index}WITHALONGNAMEUSDT`)
    const reader = read({ symbols })
    await server.until(() => server.clients.length === 2)
    const [first, second] = server.clients as [(typeof server.clients)[0], (typeof server.clients)[0]]
    // The exchange pings every 20 s; here three times at the beginning, so that their pongs leave room for one SUBSCRIBE more.
    await server.until(() => first.frames.length === 1)
    for (const payload of ['1', '2', '3']) first.socket.ping(payload)
    await server.until(() => first.streams.size === 1_024 && second.streams.size === 478)
    const subscribed = [...first.streams, ...second.streams].filter(stream => stream !== PULSE_STREAM)
    expect(subscribed.sort()).toEqual(symbols.map(symbol => `${symbol.toLowerCase()}@trade`).sort())
    await server.until(() => first.messageTimes.length === first.frames.length + 3)
    for (const client of [first, second]) {
      expect(client.streams.has(PULSE_STREAM)).toBe(true)
      expect(mostWithinASecond(client.messageTimes)).toBeLessThanOrEqual(5)
      for (const frame of client.frames) expect(Buffer.byteLength(frame)).toBeLessThan(4_088)
    }
    // Connected and at a time only as far as both are.
    server.sendTo(first, PULSE_STREAM, pulseOf(T0 + 5_000))
    server.sendTo(first, PULSE_STREAM, pulseOf(T0 + 6_000))
    server.sendTo(second, PULSE_STREAM, pulseOf(T0 + 4_000))
    server.sendTo(second, PULSE_STREAM, pulseOf(T0 + 9_000))
    await reader.until(() => reader.events.length === 3)
    expect(reader.events).toEqual([
      { kind: 'connected' },
      { kind: 'pulse', eventTime: T0 + 4_000 },
      { kind: 'pulse', eventTime: T0 + 6_000 },
    ])
    second.socket.terminate()
    await reader.until(() => reader.count('disconnected') === 1)
  })

  it('have to be answered, all of them, before the feed calls itself connected', async () => {
    const withheld: object[] = []
    server.answer = request => {
      if (request.id === 1) return { result: null, id: 1 }
      withheld.push({ result: null, id: request.id })
      return undefined
    }
    const reader = read({ symbols: Array.from({ length: 150 }, (_, index) => `C${index}USDT`) })
    await server.until(() => withheld.length === 1)
    server.pulse(T0)
    server.trade('C1USDT', 1, T0)
    await reader.until(() => reader.count('trade') === 1)
    server.clients[0]!.socket.send(JSON.stringify(withheld[0]))
    server.pulse(T0 + 1_000)
    server.trade('C1USDT', 2, T0 + 1_001)
    await reader.until(() => reader.count('trade') === 2)
    expect(reader.kinds()).toEqual(['trade', 'connected', 'pulse', 'trade'])
  })

  it('that are refused are tried again, and then on another connection: streams nobody hears are not passed off as silent', async () => {
    const warnings: string[] = []
    let refusals = 0
    server.answer = (request, client) => {
      if (client !== server.clients[0]) return { result: null, id: request.id }
      refusals++
      server.sendTo(client, PULSE_STREAM, pulseOf(T0))
      return { code: 2, msg: 'Invalid request', id: request.id }
    }
    const reader = read({ log: { info() {}, warn: (_, message) => warnings.push(message) } })
    await server.until(() => server.clients.length === 2)
    expect(refusals).toBe(3)
    expect(server.clients[0]!.closed).toBe(true)
    expect(reader.count('connected')).toBe(0)
    server.every(5, () => server.sendTo(server.clients[1]!, PULSE_STREAM, pulseOf(T0)))
    await reader.until(() => reader.count('connected') === 1)
    expect(warnings.filter(message => message === 'the exchange refused a SUBSCRIBE')).toHaveLength(3)
  })

  it('that are not answered mean another connection', async () => {
    server.answer = (request, client) => (client === server.clients[0] ? undefined : { result: null, id: request.id })
    const market = runMarket()
    server.every(5, () => {
      const first = server.clients[0]
      if (first !== undefined && !first.closed) server.sendTo(first, PULSE_STREAM, pulseOf(T0))
    })
    const reader = read({ limits: { answerMaxMs: 100 } })
    await reader.until(() => reader.count('trade') > 0)
    market.stop()
    expect(server.clients).toHaveLength(2)
    expect(server.clients[0]!.closed).toBe(true)
  })
})

describe('a socket', () => {
  it('that falls silent is dead, although its connection stays open and answers pings', async () => {
    const market = runMarket()
    const reader = read({ silenceMaxMs: 300 })
    await reader.until(() => reader.count('trade') > 10)
    market.stop()
    const first = server.clients[0]!
    server.every(20, () => first.socket.ping())
    // Another connection is made, and nothing on it becomes live before the market goes on.
    await server.until(() => server.clients.length === 2 && first.closed)
    await reader.until(() => reader.count('disconnected') === 1)
    expect(reader.events.at(-1)).toMatchObject({ reason: expect.stringMatching(/^no message for \d+ ms$/) })
    const again = runMarket()
    await reader.until(() => reader.count('connected') === 2)
    again.stop()
  })

  it('that is closed by the exchange is replaced, and the trades in between are missing and not hidden', async () => {
    const market = runMarket()
    const reader = read()
    await reader.until(() => reader.count('trade') > 10)
    server.clients[0]!.socket.close(1008, 'too many requests')
    await reader.until(() => reader.count('connected') === 2)
    market.stop()
    const at = reader.kinds().indexOf('disconnected')
    expect(reader.events[at]).toEqual({
      kind: 'disconnected',
      reason: 'the exchange closed the connection (1008 "too many requests")',
    })
    expect(reader.kinds().indexOf('connected', at)).toBeGreaterThan(at)
  })

  it('that sends a giant message is given up', async () => {
    const reader = read()
    const market = runMarket()
    await reader.until(() => reader.count('trade') > 0)
    server.clients[0]!.socket.send(`{"x":"${'y'.repeat(1024 * 1024)}"}`)
    await reader.until(() => reader.count('connected') === 2)
    market.stop()
    expect(reader.events.find(event => event.kind === 'disconnected')).toMatchObject({
      reason: expect.stringMatching(/payload size/i),
    })
  })

  it('that does not open in time is given up', async () => {
    const dialled: Socket[] = []
    const silent = createServer(socket => dialled.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const reasons: unknown[] = []
    const streamUrl = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const log = { info() {}, warn: (fields: object) => reasons.push((fields as { reason?: string }).reason) }
    const reader = read({ streamUrl, log, limits: { connectMaxMs: 50 } })
    while (dialled.length < 2) await once(silent, 'connection')
    stop.abort()
    await reader.done
    for (const socket of dialled) socket.destroy()
    silent.close()
    expect(reasons[0]).toBe('no connection within 50 ms')
  })
})

describe('dialling again', () => {
  it('waits longer after every failure, a random part of it', async () => {
    server.accept = () => server.clients.length > 5
    const waits: number[] = []
    const randoms: number[] = []
    const market = runMarket()
    const reader = read({
      backoff: { firstMs: 2, longestMs: 20 },
      random: () => {
        randoms.push(0.5)
        return 0.5
      },
      log: { info() {}, warn: fields => waits.push((fields as { failures: number }).failures) },
    })
    await reader.until(() => reader.count('connected') === 1)
    market.stop()
    expect(server.clients).toHaveLength(6)
    expect(waits).toEqual([1, 2, 3, 4, 5])
    // One for each wait, one for the age of the socket that opened; the others may have opened for a moment.
    expect(randoms.length).toBeGreaterThanOrEqual(6)
    const dials = server.clients.map(client => client.connectedAt)
    // Half of 2, 4, 8, 16 and 20 ms, as the server saw them come, and never sooner.
    const gaps = dials.slice(1).map((time, index) => time - dials[index]!)
    for (const [index, bound] of [1, 2, 4, 8, 10].entries()) expect(gaps[index]!).toBeGreaterThan(bound - 1)
  })

  it('keeps to the number of connections that the exchange grants', async () => {
    server.accept = () => server.clients.length > 4
    const market = runMarket()
    const limits = { connectionsMax: 2, connectionsWindowMs: 500 }
    const reader = read({ limits, backoff: { firstMs: 0, longestMs: 0 } })
    await reader.until(() => reader.count('connected') === 1)
    market.stop()
    const dials = server.clients.map(client => client.connectedAt)
    expect(dials).toHaveLength(5)
    for (let index = 2; index < dials.length; index++) {
      // The server sees a dial a little after it was made, and that little may differ from one to the next.
      expect(dials[index]! - dials[index - 2]!).toBeGreaterThan(300)
    }
  })
})

describe('a replacement', () => {
  const often = { stableAfterMs: 0, overlapMs: 100, subscribeEveryMs: 20 }

  it('before the exchange ends the connection by age loses no trade', async () => {
    const market = runMarket()
    const reader = read({ ageMaxMs: 60, limits: often })
    await server.until(() => server.clients.length === 6)
    const sent = market.sent
    await reader.until(() => (reader.tradeIds('BTCUSDT').at(-1) ?? 0) > sent)
    market.stop()
    expectNoHole(reader.tradeIds('BTCUSDT'))
    expect(reader.count('disconnected')).toBe(0)
    expect(reader.count('connected')).toBe(1)
    // Both sockets spoke for a while.
    expect(new Set(reader.tradeIds('BTCUSDT')).size).toBeLessThan(reader.tradeIds('BTCUSDT').length)
    const pulses = reader.events.flatMap(event => (event.kind === 'pulse' ? event.eventTime : []))
    expect(pulses).toEqual([...new Set(pulses)].sort((a, b) => a - b))
  })

  it('has at most two sockets, and drops the old one', async () => {
    let most = 0
    const market = runMarket()
    server.every(1, () => {
      most = Math.max(most, server.openClients.length)
    })
    read({ ageMaxMs: 60, limits: often })
    await server.until(() => server.clients.length === 5 && server.clients.slice(0, 3).every(client => client.closed))
    market.stop()
    expect(most).toBe(2)
  })

  it.each([
    ['bare', () => JSON.stringify({ e: 'serverShutdown', E: T0 })],
    ['in an envelope', () => JSON.stringify({ stream: '!serverShutdown', data: { e: 'serverShutdown', E: T0 } })],
  ])('at an announced shutdown, %s, loses no trade', async (_, announcement) => {
    const market = runMarket()
    const reader = read({ limits: often })
    await reader.until(() => reader.count('trade') > 10)
    const old = server.clients[0]!
    old.socket.send(announcement())
    await server.until(() => old.closed)
    const sent = market.sent
    await reader.until(() => (reader.tradeIds('BTCUSDT').at(-1) ?? 0) > sent)
    market.stop()
    expect(server.clients).toHaveLength(2)
    expectNoHole(reader.tradeIds('BTCUSDT'))
    expect(reader.count('disconnected')).toBe(0)
  })

  it('waits for what is still on its way on the old socket', async () => {
    const reader = read()
    await server.until(() => server.clients[0]?.streams.size === 3)
    const old = server.clients[0]!
    server.pulse(T0)
    old.socket.send('{"e":"serverShutdown","E":1770076800000}')
    await server.until(() => server.clients[1]?.streams.size === 3)
    const next = server.clients[1]!
    server.sendTo(next, PULSE_STREAM, pulseOf(T0 + 5_000))
    server.sendTo(next, 'btcusdt@trade', tradeOf('BTCUSDT', 2, T0 + 5_000))
    await reader.until(() => reader.count('trade') === 1)
    server.sendTo(old, 'btcusdt@trade', tradeOf('BTCUSDT', 1, T0 + 4_990))
    await reader.until(() => reader.count('trade') === 2)
    // Until then only the old socket tells the time, since trade 1 was still to come.
    server.sendTo(old, PULSE_STREAM, pulseOf(T0 + 5_000))
    server.sendTo(old, PULSE_STREAM, pulseOf(T0 + 6_001))
    await server.until(() => old.closed)
    const pulses = reader.events.flatMap(event => (event.kind === 'pulse' ? event.eventTime - T0 : []))
    expect(pulses).toEqual([0, 4_991, 5_000, 6_001])
    expect(reader.tradeIds('BTCUSDT')).toEqual([2, 1])
  })

  it('is dialled until one lasts, while the old socket goes on', async () => {
    const market = runMarket()
    server.accept = () => server.clients.length === 1 || server.clients.length > 4
    const reader = read({ limits: often })
    await reader.until(() => reader.count('trade') > 10)
    const old = server.clients[0]!
    old.socket.send('{"e":"serverShutdown","E":1770076800000}')
    await server.until(() => old.closed)
    const sent = market.sent
    await reader.until(() => (reader.tradeIds('BTCUSDT').at(-1) ?? 0) > sent)
    market.stop()
    expect(server.clients).toHaveLength(5)
    expectNoHole(reader.tradeIds('BTCUSDT'))
    expect(reader.count('disconnected')).toBe(0)
  })

  it('that dies amid the overlap is replaced itself, while the old socket goes on', async () => {
    const market = runMarket()
    const reader = read({ limits: { ...often, overlapMs: 3_600_000, overlapMaxMs: 3_600_000 } })
    await reader.until(() => reader.count('trade') > 10)
    const old = server.clients[0]!
    old.socket.send('{"e":"serverShutdown","E":1770076800000}')
    await server.until(() => server.clients[1]?.streams.size === 3)
    await reader.until(() => new Set(reader.tradeIds('BTCUSDT')).size < reader.tradeIds('BTCUSDT').length)
    server.clients[1]!.socket.terminate()
    await server.until(() => server.clients[2]?.streams.size === 3)
    expect(old.closed).toBe(false)
    market.stop()
    expectNoHole(reader.tradeIds('BTCUSDT'))
    expect(reader.count('disconnected')).toBe(0)
  })

  it('is at hand when the old socket dies amid the overlap', async () => {
    const market = runMarket()
    // The overlap could go on for ever; the exchange ends it by closing the old socket.
    const reader = read({ limits: { ...often, overlapMs: 3_600_000, overlapMaxMs: 3_600_000 } })
    await reader.until(() => reader.count('trade') > 10)
    const old = server.clients[0]!
    old.socket.send('{"e":"serverShutdown","E":1770076800000}')
    await server.until(() => server.clients[1]?.streams.size === 3)
    // A trade that came twice tells that both are read.
    await reader.until(() => new Set(reader.tradeIds('BTCUSDT')).size < reader.tradeIds('BTCUSDT').length)
    old.socket.terminate()
    await server.until(() => old.closed)
    const sentThen = market.sent
    await reader.until(() => (reader.tradeIds('BTCUSDT').at(-1) ?? 0) > sentThen)
    const pulses = reader.count('pulse')
    await reader.until(() => reader.count('pulse') > pulses)
    market.stop()
    expectNoHole(reader.tradeIds('BTCUSDT'))
    expect(reader.count('disconnected')).toBe(0)
  })
})

describe('a consumer that does not read', () => {
  it('stops the exchange, keeps no more than the bound, and finds everything in order when it comes back', async () => {
    const eventsMax = 100
    const feed = feedOf({ symbols: ['BTCUSDT'], silenceMaxMs: 100, limits: { eventsWaitingMax: eventsMax } })
    const iterator = feed[Symbol.asyncIterator]()
    const first = iterator.next()
    await server.until(() => server.clients[0]?.streams.size === 2)
    server.pulse(T0)
    expect((await first).value).toMatchObject([{ kind: 'connected' }, { kind: 'pulse' }])
    // Only a reader that has stopped lets 8 MB pile up in the sender.
    const client = server.clients[0]!
    let sent = 0
    while (client.socket.bufferedAmount < 8 * 1024 * 1024) {
      for (let count = 0; count < 1_000; count++) server.trade('BTCUSDT', ++sent, T0 + sent)
      await setImmediate()
    }
    server.pulse(T0 + sent)
    const ids: number[] = []
    const batches: number[] = []
    while (ids.length < sent) {
      const { value, done } = await iterator.next()
      if (done) break
      batches.push(value.length)
      for (const event of value) if (event.kind === 'trade') ids.push(event.trade.tradeId)
    }
    expect(ids).toEqual(Array.from({ length: sent }, (_, index) => index + 1))
    // The bound, and at most what a few reads of 64 KB hold (some 350 messages each).
    expect(Math.max(...batches)).toBeLessThan(eventsMax + 2_000)
    expect(server.clients).toHaveLength(1)
    // Also paused it ends at once.
    while (client.socket.bufferedAmount < 8 * 1024 * 1024) {
      for (let count = 0; count < 1_000; count++) server.trade('BTCUSDT', ++sent, T0 + sent)
      await setImmediate()
    }
    stop.abort()
    await iterator.next()
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    await server.until(() => client.closed)
  })
})
