import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import {
  type BarStream,
  encodeBar,
  frameBarEvent,
  frameGap,
  RpcError,
  type StreamBarsRequest,
  serveBars,
} from '@chart/grpc'
import { freePort } from '@chart/servers'
import { BARE_ENV, until } from '@chart/testkit'
import { afterEach, expect, test } from 'vitest'

/** `chart watch` against an edge whose answers the test writes itself. */

const CHART = fileURLToPath(new URL('../bin/chart.ts', import.meta.url))
const MINUTE_MS = 60_000

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function chart(...args: string[]) {
  const child = spawn(process.execPath, [CHART, ...args], { env: BARE_ENV })
  running.push(child)
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    said.err += text
  })
  return { child, said, exited: once(child, 'exit').then(([status]) => status as number) }
}

async function startEdge(port: number) {
  const calls: { request: StreamBarsRequest; stream: BarStream }[] = []
  const none = () => Promise.reject(new RpcError('NOT_FOUND', 'none'))
  const server = await serveBars({
    host: '127.0.0.1',
    port,
    handlers: {
      streamBars: async (request, stream) => void calls.push({ request, stream }),
      getLiveBar: none,
      listBars: none,
      listSymbols: none,
    },
    onError: () => undefined,
  })
  return {
    calls,
    async [Symbol.asyncDispose]() {
      for (const { stream } of calls) stream.fail(new RpcError('UNAVAILABLE', 'this edge is stopping; call again'))
      await server[Symbol.asyncDispose]()
    },
  }
}

function closed(minute: number, close = '1'): Uint8Array {
  const openTime = minute * MINUTE_MS
  const sums = { baseVolume: '1', quoteVolume: '1', takerBuyBaseVolume: '0', takerBuyQuoteVolume: '0' }
  const bar = encodeBar({
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE_MS - 1,
    open: '1',
    high: close,
    low: '1',
    close,
    ...sums,
    tradeCount: 1,
    firstTradeId: minute,
    lastTradeId: minute,
    state: 'closed',
    revision: 0,
    complete: true,
  })
  return frameBarEvent('closed', bar, 0)
}

test('watch begins at a time, says what nobody keeps, and goes on at an edge that came back where it stopped', async () => {
  const port = await freePort()
  const first = await startEdge(port)
  const { child, said, exited } = chart(
    ...['watch', 'BTCUSDT', '--since', '1970-01-01T00:03', '--rate', '2', '--json', '--address', `127.0.0.1:${port}`],
  )
  await until('it calls', () => first.calls.length === 1)
  const { request, stream } = first.calls[0]!
  expect(request).toMatchObject({
    startTime: { seconds: 180 },
    maxUpdatesPerSecond: 2,
    mode: 'STREAM_MODE_UNSPECIFIED',
  })
  stream.write(frameGap({ symbol: 'BTCUSDT', interval: '1m', startTime: 3 * MINUTE_MS, endTime: 5 * MINUTE_MS }))
  stream.write(closed(5))
  await until('both are shown', () => said.out.split('\n').length === 3)
  await first[Symbol.asyncDispose]()
  await using second = await startEdge(port)
  await until('it calls again', () => second.calls.length === 1)
  expect(second.calls[0]!.request.positions).toMatchObject([{ newest: { openTime: { seconds: 300 } } }])
  second.calls[0]!.stream.write(closed(5))
  second.calls[0]!.stream.write(closed(6))
  await until('the next bar is shown', () => said.out.split('\n').length === 4)
  child.kill('SIGINT')
  expect(await exited).toBe(0)
  const lines = said.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines).toMatchObject([
    { type: 'gap', gap: { startTime: 3 * MINUTE_MS, endTime: 5 * MINUTE_MS } },
    { type: 'closed', bar: { symbol: 'BTCUSDT', openTime: 5 * MINUTE_MS } },
    { type: 'closed', bar: { openTime: 6 * MINUTE_MS } },
  ])
  expect(said.err).toContain(
    'chart watch: bars of BTCUSDT 1m from 1970-01-01 00:03:00 up to 1970-01-01 00:05:00 are not kept',
  )
  expect(said.err).toContain('chart watch: this edge is stopping; call again; calling again\n')
})

const script = spawnSync('script', ['--version']).status === 0

/** `chart …` on a terminal of so many columns. */
function chartOnTerminal(columns: number, env: Record<string, string>, ...args: string[]) {
  const command = `stty cols ${columns} rows 10; exec '${process.execPath}' '${CHART}' ${args.join(' ')}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...BARE_ENV, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.push(child)
  const said = { out: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    said.out += text
  })
  return { child, said }
}

/** What was drawn last, line by line. */
const lastPicture = (out: string) =>
  stripVTControlCharacters(out.slice(out.lastIndexOf('symbol')))
    .trim()
    .split(/\r?\n/)

test.skipIf(!script)(
  'on a terminal each series has one row with colours, which is redrawn; a narrow one leaves columns out',
  async () => {
    const port = await freePort()
    await using edge = await startEdge(port)
    const address = ['--address', `127.0.0.1:${port}`]
    const wide = chartOnTerminal(140, {}, 'watch', 'BTCUSDT', ...address)
    const narrow = chartOnTerminal(22, {}, 'watch', 'BTCUSDT', ...address)
    const plain = chartOnTerminal(140, { NO_COLOR: '1' }, 'watch', 'BTCUSDT', ...address)
    await until('all call', () => edge.calls.length === 3)
    for (const [minute, close] of [
      [5, '1'],
      [6, '3'],
      [7, '2'],
    ] as const) {
      for (const { stream } of edge.calls) stream.write(closed(minute, close))
    }
    const is = ({ said }: typeof wide, text: RegExp) => text.test(lastPicture(said.out)[1] ?? '')
    await until(
      'the last bar is drawn everywhere',
      () => is(wide, /00:07:00/) && is(narrow, / 2$/) && is(plain, /00:07:00/),
    )
    expect(lastPicture(wide.said.out)).toHaveLength(2)
    expect(lastPicture(wide.said.out)[1]).toMatch(
      /^BTCUSDT {2}1m {3}1970-01-01 00:07:00 {2,}1 +2 +1 +2 {2}▁█▅ +1 +1 {2}closed +- +yes$/,
    )
    expect(lastPicture(narrow.said.out)[1]).toBe('BTCUSDT  1m       2')
    expect(wide.said.out).toContain('\x1b[32m')
    // Moving about is no colour: NO_COLOR keeps the picture.
    expect(plain.said.out.split('\x1b[').filter(part => /^[\d;]*m/.test(part))).toEqual([])
  },
)

test('a pipe gets plain lines', async () => {
  const port = await freePort()
  await using edge = await startEdge(port)
  const { said } = chart('watch', 'BTCUSDT', '--address', `127.0.0.1:${port}`)
  await until('it calls', () => edge.calls.length === 1)
  edge.calls[0]!.stream.write(closed(5, '3'))
  await until('a line is shown', () => said.out.endsWith('\n'))
  expect(said.out).toBe('BTCUSDT 1m  1970-01-01 00:05:00  closed     o 1  h 3  l 1  c 3  v 1  trades 1  complete\n')
})

test.each([
  [['--since', 'monday'], '--since "monday" is no time such as 2026-04-01T12:30'],
  [['--rate', 'fast'], '--rate must be a number of live bars a second'],
  [['--rate', '2', '--mode', 'closed'], '--rate goes with --mode latest'],
  [['--mode', 'all'], '--mode is one of every-trade, latest, closed'],
  [['--address', 'nowhere at all'], 'the address "nowhere at all" cannot be read'],
  [['--tls-ca', '/nowhere.pem'], '--tls-ca /nowhere.pem cannot be read (ENOENT); name a PEM file'],
  [['--tls-cert', CHART], 'tls.cert and tls.key go together'],
])('what makes no sense is one line and status 2: %j', async (args, message) => {
  const { said, exited } = chart('watch', 'BTCUSDT', ...args)
  expect(await exited).toBe(2)
  expect(said.err).toMatch(/^chart watch: [^\n]*\n$/)
  expect(said.err).toContain(message)
})
