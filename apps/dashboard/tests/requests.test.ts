import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BarsAnswer, SymbolsAnswer } from '../src/wire.ts'
import {
  metricOf,
  startDashboard,
  startServers,
  TEST_FILES,
  type TestDashboard,
  type TestServers,
} from './test-dashboard.ts'
import { MINUTE_START, TestMarket } from './test-market.ts'
import { TestPage } from './test-page.ts'

const MINUTE = 60_000

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

let servers: TestServers
let dashboard: TestDashboard
let btc: TestMarket
let pepe: TestMarket

beforeAll(async () => {
  servers = await startServers()
  btc = await TestMarket.open(servers.commands, 'BTCUSDT', { simulated: false })
  pepe = await TestMarket.open(servers.commands, 'PEPEUSDT', { tickSize: '0.00000001' })
  await btc.trade(Array.from({ length: 10 }, (_, index) => MINUTE_START + index * MINUTE))
  await pepe.trade([MINUTE_START, MINUTE_START + 90_000])
  // A feed that is live has to say so again every five seconds.
  await btc.setFeed('halted')
  dashboard = await startDashboard(servers, { pagesMax: 3 })
})

afterAll(async () => {
  await dashboard[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request as it is: no path is made tidy on the way. */
async function ask(path: string, { method = 'GET', headers = {} } = {}): Promise<Answer> {
  const asking = request({ host: '127.0.0.1', port: dashboard.port, path, method, headers, agent: false })
  asking.end()
  const [response] = await once(asking, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

const askJson = async (path: string) => {
  const { status, body } = await ask(path)
  return [status, JSON.parse(body.toString())]
}

test.each([
  ['/api/bars?interval=1m', 400, 'symbol is missing; give one such as BTCUSDT'],
  ['/api/bars?symbol=btcusdt&interval=1m', 400, 'symbol is not a symbol such as BTCUSDT, in upper case'],
  ['/api/bars?symbol=NOPEUSDT&interval=1m', 404, 'NOPEUSDT is not served; /api/symbols tells what is'],
  ['/api/bars?symbol=BTCUSDT', 400, 'interval is not one of 1s, 1m, 5m'],
  ['/api/bars?symbol=BTCUSDT&interval=1h', 400, 'interval is not one of 1s, 1m, 5m'],
  ['/api/bars?symbol=BTCUSDT&interval=1m&before=x', 400, 'before is not a time in milliseconds since 1970'],
  ['/api/bars?symbol=BTCUSDT&interval=1m&before=-5', 400, 'before is not a time in milliseconds since 1970'],
  [
    '/api/bars?symbol=BTCUSDT&interval=1m&before=999999999999999',
    400,
    'before is not a time in milliseconds since 1970',
  ],
  ['/api/bars?symbol=BTCUSDT&interval=1m&limit=0', 400, 'limit is not a number from 1 to 1000'],
  ['/api/bars?symbol=BTCUSDT&interval=1m&limit=1001', 400, 'limit is not a number from 1 to 1000'],
  ['/api/bars?symbol=BTCUSDT&interval=1m&limit=1e2', 400, 'limit is not a number from 1 to 1000'],
  ['/api/stream', 400, 'series is missing; give some such as BTCUSDT:1m,ETHUSDT:5m'],
  ['/api/stream?series=BTCUSDT', 400, 'series is not of the form BTCUSDT:1m@1763876000000,ETHUSDT:5m'],
  ['/api/stream?series=BTCUSDT:1m,', 400, 'series is not of the form BTCUSDT:1m@1763876000000,ETHUSDT:5m'],
  ['/api/stream?series=BTCUSDT:1m,BTCUSDT:1m', 400, 'series names one twice'],
  ['/api/stream?series=BTCUSDT:1m@999999999999999', 400, 'series has a time after the year 9999'],
  ['/api/stream?series=BTCUSDT:1h', 400, 'interval is not one of 1s, 1m, 5m'],
  ['/api/stream?series=BTCUSDT:1m,NOPEUSDT:1m', 404, 'NOPEUSDT is not served; /api/symbols tells what is'],
  [`/api/stream?series=${Array(17).fill('BTCUSDT:1m').join()}`, 400, 'series has more than 16 items'],
  ['/api/nothing', 404, 'there is nothing at this address'],
  ['/nothing.js', 404, 'there is nothing at this address'],
  ['/..%2f..%2fpackage.json', 404, 'there is nothing at this address'],
  ['/../../package.json', 404, 'there is nothing at this address'],
  ['/assets/../index.html', 404, 'there is nothing at this address'],
  ['/__proto__', 404, 'there is nothing at this address'],
  [`/?${'a'.repeat(2_100)}`, 414, 'the address has more than 2048 characters'],
])('%s is answered with %i', async (path, status, error) => {
  expect(await askJson(path)).toEqual([status, { error }])
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is refused, and the connection closed', async method => {
  const answer = await ask('/api/symbols', { method })
  expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD', connection: 'close' } })
})

test('a request with headers without end is cut', async () => {
  const socket = connect(dashboard.port, '127.0.0.1')
  socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(9_000)}`)
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 431 /)
})

test('a connection has one request at a time: many at once begin one stream, and the next is refused', async () => {
  const [socket, answered] = send('GET /api/stream?series=BTCUSDT:1m HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(50))
  await until('the stream is there', () => answered().includes('event: bar'))
  expect(await metricOf(dashboard.registry, 'chart_dashboard_pages')).toBe(1)
  socket.destroy()
  const [, answers] = send('GET /udf/time HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(3))
  await until('the connection is closed', () => answers().includes('one request at a time'))
  expect(answers().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
})

/** Sends bytes as they are; gives what was answered so far. */
function send(bytes: string): [socket: Socket, answered: () => string] {
  let answered = ''
  const socket = connect(dashboard.port, '127.0.0.1').setEncoding('utf8')
  socket.on('data', (text: string) => {
    answered += text
  })
  socket.on('error', () => undefined)
  socket.write(bytes)
  return [socket, () => answered]
}

test('every answer says what a page may load: nothing but our own', async () => {
  for (const path of ['/', '/api/symbols', '/nothing', '/udf/config']) {
    expect((await ask(path)).headers).toMatchObject({
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
  }
})

test('the page is served whole, compressed or not, and again only when it changed', async () => {
  const html = TEST_FILES['index.html']
  const plain = await ask('/')
  expect(plain.body.toString()).toBe(html)
  expect(plain.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-length': String(html.length),
    vary: 'accept-encoding',
  })
  const name = '/assets/index-3kfj29d.js'
  const script = await ask(name, { headers: { 'accept-encoding': 'gzip, deflate, br' } })
  expect(script.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'content-encoding': 'br',
    'cache-control': 'public, max-age=31536000, immutable',
  })
  expect(brotliDecompressSync(script.body).toString()).toBe(TEST_FILES['assets/index-3kfj29d.js'])
  const zipped = await ask(name, { headers: { 'accept-encoding': 'gzip;q=0.5, br;q=0' } })
  expect(gunzipSync(zipped.body).toString()).toBe(TEST_FILES['assets/index-3kfj29d.js'])
  const known = await ask('/', { headers: { 'if-none-match': `"other", W/${plain.headers.etag}` } })
  expect([known.status, known.body.length]).toEqual([304, 0])
})

test('HEAD is answered as GET is, without the body, and begins no stream', async () => {
  for (const path of ['/', '/assets/index-3kfj29d.js', '/api/bars?symbol=BTCUSDT&interval=1m', '/udf/config']) {
    const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })]
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe(String(get.body.length))
  }
  const stream = await ask('/api/stream?series=BTCUSDT:1m', { method: 'HEAD' })
  expect(stream).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
  expect((await ask('/api/stream?series=NOPE:1m', { method: 'HEAD' })).status).toBe(404)
  expect(await metricOf(dashboard.registry, 'chart_dashboard_pages')).toBe(0)
})

test('what is served is told with steps, feed, and whether it is invented', async () => {
  const [, answer] = (await askJson('/api/symbols')) as [number, SymbolsAnswer]
  expect(answer).toEqual({
    symbols: [
      {
        symbol: 'BTCUSDT',
        status: 'TRADING',
        tickSize: '0.01000000',
        stepSize: '0.00001000',
        simulated: false,
        feed: { symbol: 'BTCUSDT', state: 'halted', lastTradeTime: MINUTE_START + 9 * MINUTE },
      },
      expect.objectContaining({ symbol: 'PEPEUSDT', tickSize: '0.00000001', simulated: true }),
    ],
    intervals: ['1s', '1m', '5m'],
  })
})

test('a name that is no symbol is not served, wherever it comes from', async () => {
  const names = ['', 'lower', '__proto__', 'BTCUSDT:1m', '<img src=x onerror=alert(1)>', 'A'.repeat(5_000)]
  await servers.commands.hset('symbols', Object.fromEntries(names.map(name => [name, btc.tag])))
  await servers.commands.hset('symbols', { NEWUSDT: btc.tag })
  const served = async () => ((await askJson('/api/symbols'))[1] as SymbolsAnswer).symbols.map(({ symbol }) => symbol)
  await until('what is served was read anew', async () => (await served()).includes('NEWUSDT'))
  expect(await served()).toEqual(['BTCUSDT', 'NEWUSDT', 'PEPEUSDT'])
  await servers.commands.hdel('symbols', ...names, 'NEWUSDT')
})

test('older bars come in pages, up to the first', async () => {
  const closed = btc.all('1m').filter(({ state }) => state === 'closed')
  const pageOf = async (query: string) =>
    (await askJson(`/api/bars?symbol=BTCUSDT&interval=1m&${query}`))[1] as BarsAnswer
  expect(await pageOf('limit=4')).toEqual({ bars: closed.slice(-4), isFirst: false })
  const before = closed.at(-4)!.openTime
  expect(await pageOf(`limit=4&before=${before}`)).toEqual({ bars: closed.slice(-8, -4), isFirst: false })
  expect(await pageOf(`before=${before}`)).toEqual({ bars: closed.slice(0, -4), isFirst: true })
  expect(await pageOf('before=0')).toEqual({ bars: [], isFirst: true })
})

test('one page more than PAGES_MAX is told to come back later, and may when one has left', async () => {
  const pages = [0, 1, 2].map(() => new TestPage(dashboard.port, 'BTCUSDT:1m'))
  await until('three are open', async () => (await metricOf(dashboard.registry, 'chart_dashboard_pages')) === 3)
  const refused = await ask('/api/stream?series=BTCUSDT:1m')
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  expect(JSON.parse(refused.body.toString())).toEqual({ error: '3 pages are open here already; try again later' })
  pages[0]![Symbol.dispose]()
  using another = new TestPage(dashboard.port, 'BTCUSDT:1m')
  await until('the other is let in', () => another.count('history') === 1)
  for (const page of pages) page[Symbol.dispose]()
})

test('sixteen series are followed on one page', async () => {
  const symbols = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT', 'FUSDT', 'GUSDT', 'HUSDT']
  const markets = await Promise.all(symbols.map(symbol => TestMarket.open(servers.commands, symbol)))
  for (const market of markets) await market.trade([MINUTE_START, MINUTE_START + MINUTE])
  using page = new TestPage(dashboard.port, symbols.flatMap(symbol => [`${symbol}:1m`, `${symbol}:5m`]).join())
  await until('all are told', () => page.count('history') === 16)
  for (const market of markets) await market.trade([MINUTE_START + 2 * MINUTE])
  await until('all changes are told', () =>
    markets.every(market => JSON.stringify(page.held(`${market.symbol}:1m`)) === JSON.stringify(market.all('1m'))),
  )
  expect([...page.feeds.keys()].sort()).toEqual(symbols)
})
