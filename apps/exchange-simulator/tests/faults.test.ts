import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startExchangeSimulator } from '../src/exchange-simulator.ts'
import { type Frame, getJson, openStream } from './stream-client.ts'

const start = () =>
  startExchangeSimulator({ market: { symbols: ['BTCUSDT', 'ETHUSDT'], tradesPerSecond: 400, burstiness: 0 } })

async function command(url: string, name: string, body: unknown = {}): Promise<number> {
  const response = await fetch(`${url}/control/${name}`, { method: 'POST', body: JSON.stringify(body) })
  await response.text()
  return response.status
}

/** Ids of trades from `from` on. */
const idsOf = (frames: readonly Frame[], from = 0) => frames.slice(from).map(frame => frame.t as number)
const jumps = (ids: readonly number[]) => ids.slice(1).map((id, index) => id - ids[index]!)

test('dropped trades are missing on the socket and are there by REST', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  await client.until(frames => frames.length > 5)
  expect(await command(exchange.url, 'drop', { symbol: 'BTCUSDT', count: 3 })).toBe(200)
  await client.until(() => exchange.status().faultsApplied.drop === 3)
  const before = client.frames.length
  const ids = idsOf(await client.until(frames => frames.length > before + 20))
  const at = jumps(ids).findIndex(jump => jump !== 1)
  expect(jumps(ids).filter(jump => jump !== 1)).toEqual([4])
  const { body } = await getJson<{ id: number }[]>(
    `${exchange.url}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${ids[at]! + 1}&limit=3`,
  )
  expect(body.map(row => row.id)).toEqual([1, 2, 3].map(step => ids[at]! + step))
  expect(exchange.status().faultsApplied.drop).toBe(3)
})

test('a share of trades can be dropped until it is cleared', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  exchange.drop({ share: 0.5 })
  await client.until(frames => frames.length >= 100)
  const ids = idsOf(client.frames)
  expect(jumps(ids).filter(jump => jump > 1).length).toBeGreaterThan(15)
  exchange.clear()
  const before = client.frames.length
  const after = idsOf(await client.until(frames => frames.length > before + 50), before)
  expect(jumps(after).every(jump => jump === 1)).toBe(true)
})

test('duplicated and reordered trades are twice there, and later than their followers', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  await client.until(frames => frames.length > 0)
  exchange.duplicate({ count: 2 })
  await client.until(frames => jumps(idsOf(frames)).filter(jump => jump === 0).length === 2)
  exchange.clear()
  const before = client.frames.length
  exchange.reorder({ by: 2 })
  const ids = idsOf(await client.until(frames => frames.length > before + 20), before - 1)
  expect(jumps(ids).filter(jump => jump !== 1)).toEqual([2, -2, 3])
  expect([...ids].sort((one, other) => one - other)).toEqual(ids.map((_, index) => ids[0]! + index))
})

test('broken frames come in every kind', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  const first = async (kind: string, holds: (frame: Frame) => boolean) => {
    await command(exchange.url, 'malformed', { kind, count: 1 })
    return (await client.until(frames => frames.some(holds))).find(holds)
  }
  await first('invalid-json', frame => typeof frame.unparsed === 'string')
  await first('wrong-types', frame => frame.p === null && typeof frame.t === 'string')
  await first('numbers', frame => typeof frame.p === 'number' && typeof frame.q === 'number')
  await first('missing-field', frame => frame.e === 'trade' && !('T' in frame))
  await first('unknown-event', frame => frame.e === 'tradeOfTomorrow')
})

test('a stalled exchange leaves sockets open and silent, answers pings or not, and comes back', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  await client.until(frames => frames.length > 0)
  exchange.stall({ ms: 1000 })
  const lastId = idsOf(client.frames).at(-1)!
  client.socket.ping('hello')
  const [payload] = await once(client.socket, 'pong')
  expect(payload.toString()).toBe('hello')
  const count = client.frames.length
  const after = await client.until(frames => frames.length > count + 5)
  expect(Math.max(...jumps(idsOf(after)))).toBeGreaterThan(20)
  expect(idsOf(after).at(-1)!).toBeGreaterThan(lastId)
  exchange.stall({ ms: 60_000, pongs: false, presentOnly: true })
  let answered = false
  client.socket.on('pong', () => {
    answered = true
  })
  client.socket.ping('anyone?')
  const stalledAtId = exchange.status().symbols.BTCUSDT!.lastTradeId
  // A new connection works while the old one is dead, and its frames prove that time has passed.
  await using other = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  await other.until(frames => frames.length > 50)
  expect(idsOf(client.frames).at(-1)).toBeLessThanOrEqual(stalledAtId!)
  expect(answered).toBe(false)
})

test('sockets are broken off, aged out, or told of the shutdown and then closed', async () => {
  await using exchange = await start()
  const stream = `${exchange.streamUrl}/stream?streams=btcusdt@trade`
  await using first = await openStream(stream)
  await command(exchange.url, 'disconnect')
  expect(await first.closed).toBe(1006)
  await using second = await openStream(stream)
  await command(exchange.url, 'age-out')
  expect(await second.closed).toBe(1008)
  await using third = await openStream(stream)
  await command(exchange.url, 'server-shutdown', { ms: 100 })
  await third.until(frames => frames.some(frame => frame.stream === '!serverShutdown'))
  await using fourth = await openStream(stream)
  expect(await third.closed).toBe(1001)
  await fourth.until(frames => frames.length > 0)
})

test('REST answers as told, for a number of requests', async () => {
  await using exchange = await start()
  await command(exchange.url, 'rest-status', { status: 429, count: 2, retryAfterSec: 7 })
  const answers = []
  for (let request = 0; request < 3; request++) answers.push(await getJson(`${exchange.url}/api/v3/ping`))
  expect(answers.map(answer => answer.status)).toEqual([429, 429, 200])
  expect(answers[0]!.headers.get('retry-after')).toBe('7')
})

test('a halted symbol has no trades and status HALT, others go on, and it resumes with the next id', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade/ethusdt@trade`)
  const of = (symbol: string) => client.frames.filter(frame => frame.s === symbol)
  await client.until(() => of('BTCUSDT').length > 10)
  await command(exchange.url, 'halt', { symbol: 'BTCUSDT' })
  const { body } = await getJson<{ symbols: { status: string }[] }>(
    `${exchange.url}/api/v3/exchangeInfo?symbol=BTCUSDT`,
  )
  expect(body.symbols[0]!.status).toBe('HALT')
  const others = of('ETHUSDT').length
  await client.until(() => of('ETHUSDT').length > others + 2)
  const halted = of('BTCUSDT').length
  await client.until(() => of('ETHUSDT').length > others + 60)
  expect(of('BTCUSDT').length).toBe(halted)
  await command(exchange.url, 'resume', { symbol: 'BTCUSDT' })
  await client.until(() => of('BTCUSDT').length > halted + 20)
  expect(jumps(idsOf(of('BTCUSDT'))).every(jump => jump === 1)).toBe(true)
  expect(exchange.status().symbols.BTCUSDT!.status).toBe('TRADING')
  expect(exchange.status().symbols.BTCUSDT!.lastTradeId).toBeGreaterThanOrEqual(idsOf(of('BTCUSDT')).at(-1)!)
})

test('a hole is a jump of ids for everyone', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  await client.until(frames => frames.length > 5)
  await command(exchange.url, 'hole', { symbol: 'BTCUSDT', count: 4 })
  const ids = idsOf(await client.until(frames => jumps(idsOf(frames)).some(jump => jump !== 1)))
  const at = jumps(ids).findIndex(jump => jump !== 1)
  expect(jumps(ids)[at]).toBe(5)
  const { body } = await getJson<{ id: number }[]>(
    `${exchange.url}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${ids[at]! + 1}&limit=1`,
  )
  expect(body[0]!.id).toBe(ids[at + 1])
})

test('a command with a wrong body is refused with the field’s name', async () => {
  await using exchange = await start()
  for (const [name, body, message] of [
    ['drop', { share: 2 }, 'share 2: wanted a number from 0 to 1'],
    ['stall', {}, 'ms: missing; wanted milliseconds from 0'],
    ['halt', { symbol: 'NOSUCH' }, 'unknown symbol NOSUCH'],
    ['drop', { howMany: 2 }, 'howMany: not a field here'],
    ['explode', {}, 'unknown command explode'],
  ] as const) {
    const response = await fetch(`${exchange.url}/control/${name}`, { method: 'POST', body: JSON.stringify(body) })
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: string }).error).toContain(message)
  }
})

test('the oracle answers over HTTP as it does as a method, and marks the live bar', async () => {
  await using exchange = await start()
  const { body } = await getJson<{ live: boolean; openTime: number }[]>(
    `${exchange.url}/control/oracle?symbol=ETHUSDT&interval=1s&from=${exchange.now() - 5000}`,
  )
  const closed = body.filter(bar => !bar.live)
  const to = closed.at(-1)!.openTime + 1
  expect(await exchange.oracleBars({ symbol: 'ETHUSDT', interval: '1s', from: closed[0]!.openTime, to })).toEqual(
    closed,
  )
  expect(closed.length).toBeGreaterThan(3)
})
