import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'

const CHART = fileURLToPath(new URL('../../cli/bin/chart.ts', import.meta.url))
const run = promisify(execFile)

/** The commands of the README's tour, against a service as `npm start` runs it. */

let service: LocalService
let address: string[]

beforeAll(async () => {
  const startTime = Math.floor(Date.now() / 60_000) * 60_000
  service = await LocalService.start({
    SYMBOLS: 'BTCUSDT,PEPEUSDT',
    START_TIME: String(startTime),
    SPEED: '20',
    TRADES_PER_SECOND: '6',
  })
  address = ['--address', service.run.grpc]
})

afterAll(() => service[Symbol.asyncDispose]())

const chart = async (...args: string[]) => (await run(process.execPath, [CHART, ...args])).stdout

test('symbols prints what is served and that the feeds live', async () => {
  await service.until(
    'both feeds live',
    async () => (await chart('symbols', ...address)).match(/ live /g)?.length === 2,
  )
  const lines = (await chart('symbols', ...address)).split('\n')
  expect(lines[1]).toMatch(/^BTCUSDT +TRADING +live +\d+ /)
  expect(lines[2]).toMatch(/^PEPEUSDT +TRADING +live +\d+ /)
})

test('status finds the service and says that all is well', async () => {
  const status = () => run(process.execPath, [CHART, 'status'], { env: { ...process.env, DATA_DIR: service.dataDir } })
  await service.until('all well', async () => (await status()).stdout.startsWith('all well'))
  const { stdout } = await status()
  for (const member of ['ingestor-1', 'aggregator-1', 'auditor']) expect(stdout).toContain(member)
})

test('the page is served at the address that run.json names, with bars of the symbols', async () => {
  await service.until('the page is served', () => service.run.dashboard !== undefined)
  const { dashboard } = service.run
  const get = (path: string) => fetch(new URL(path, dashboard))
  expect(await (await get('/')).text()).toContain('<script type="module"')
  const last = async () => {
    const answer = await get('/udf/history?symbol=PEPEUSDT&resolution=1&countback=1&to=99999999999')
    return (await answer.json()) as { s: string; c: number[] }
  }
  await service.until('a bar', async () => (await last()).s === 'ok')
  expect((await last()).c).toHaveLength(1)
})

test('bars prints stored bars oldest first, and the live bar at their end', async () => {
  const bars = async () =>
    (await chart('bars', 'BTCUSDT', '--interval', '1m', '--limit', '20', '--json', ...address))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  await service.until('three bars are stored', async () => (await bars()).length > 3)
  const found = await bars()
  expect(found.map(bar => bar.state)).toEqual([...found.slice(1).map(() => 'closed'), 'live'])
  expect(found.map(bar => bar.openTime)).toEqual(found.map((_, index) => found[0].openTime + index * 60_000))
  expect((await chart('bars', 'BTCUSDT', ...address)).split('\n')[0]).toMatch(/^open time +open +high +low +close/)
})

test('audit finds the stored bars as the exchange has them', async () => {
  const { binanceApiUrl } = service.run
  // Without --exchange or BINANCE_API_URL it finds the service's simulator by run.json, for which it is told the data folder.
  const audit = (...args: string[]) =>
    run(process.execPath, [CHART, 'audit', 'BTCUSDT', ...args, ...address], {
      env: { ...process.env, DATA_DIR: service.dataDir },
    })
  const times = async () =>
    (await chart('bars', 'BTCUSDT', '--interval', '1m', '--limit', '20', '--json', ...address))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  await service.until('three bars are verified', async () => {
    return (await times()).filter(({ proof }) => proof === 'verified').length >= 3
  })
  const verified = (await times()).filter(({ proof }) => proof === 'verified')
  const range = [
    '--from',
    new Date(verified[0].openTime).toISOString(),
    '--to',
    new Date(verified[2].closeTime).toISOString(),
  ]
  const { stdout } = await audit(...range)
  expect(stdout).toMatch(
    /^\d+ equal \(\d+ verified before, \d+ imported\), 0 differ, 0 missing, 0 surplus; compared with /,
  )
  expect(stdout).toContain(binanceApiUrl)
})

test('watch shows every trade as a line until it is interrupted, and then ends with status 0', async () => {
  const child = spawn(process.execPath, [
    CHART,
    'watch',
    'BTCUSDT',
    'PEPEUSDT',
    '--interval',
    '1s,1m',
    '--json',
    ...address,
  ])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await service.until('a bar of each has closed', () => {
    return ['BTCUSDT', 'PEPEUSDT'].every(symbol =>
      text.includes(`"type":"closed","bar":{"symbol":"${symbol}","interval":"1m"`),
    )
  })
  child.kill('SIGINT')
  expect((await once(child, 'exit'))[0]).toBe(0)
  const counts = text
    .split('\n')
    .filter(
      line =>
        line.includes('"type":"update"') && line.includes('"tradeTime"') && line.includes('"BTCUSDT","interval":"1m"'),
    )
    .map(line => JSON.parse(line).bar.tradeCount as number)
  for (const [index, count] of counts.slice(1).entries()) expect([1, counts[index]! + 1]).toContain(count)
})

test('keys prints the Redis keys and what stands in them', async () => {
  const text = await chart('keys', 'BTCUSDT', '--redis', service.run.redisUrl)
  expect(text).toMatch(
    /^symbols \(hash\) {2}BTCUSDT → \{p\d\d\}\nbar:\{p\d\d\}:BTCUSDT:1m \(hash\)\n {2}openTime {2}\d+\n/,
  )
})

test('what is not served, and a service that is not there, are one line and status 1', async () => {
  const failed = async (...args: string[]) =>
    chart(...args).then(
      () => undefined,
      error => ({ code: error.code, err: error.stderr }),
    )
  expect(await failed('bars', 'NOPEUSDT', ...address)).toEqual({
    code: 1,
    err: 'chart: symbol NOPEUSDT is not served; ListSymbols tells what is\n',
  })
  const gone = await failed('symbols', '--address', '127.0.0.1:1')
  expect(gone?.code).toBe(1)
  expect(gone?.err).toMatch(
    /^chart: .*is the service running at 127.0.0.1:1\? \(npm start, or --address HOST:PORT\)\n$/,
  )
})
