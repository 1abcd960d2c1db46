import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AppContext } from '../src/app-processes.ts'
import { startPage } from '../src/page.ts'
import { createSupervisor, type Supervisor } from '../src/supervisor.ts'

/** The page of `npm start` in a repository of its own, with a builder and a dashboard that do what a test wants. */

let root: string
let supervisor: Supervisor
let context: AppContext
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'chart-page-'))
  for (const folder of ['apps/dashboard/src', 'node_modules/vite/bin'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  write('apps/dashboard/src/main.ts', dashboard)
  supervisor = createSupervisor(join(root, 'logs'), 1_000)
  const urls = {
    redisUrl: 'redis://r',
    databaseUrl: 'postgres://p',
    binanceApiUrl: 'http://b',
    binanceStreamUrl: 'ws://b',
  }
  context = {
    root,
    env: { PATH: process.env.PATH },
    symbols: ['BTCUSDT'],
    ...urls,
    grpcPort: 7,
    httpPort: await freePort(),
  }
})
afterEach(async () => {
  await supervisor.stop()
  rmSync(root, { recursive: true, force: true })
})

const write = (file: string, text: string) => writeFileSync(join(root, file), text)
const dist = () => readFileSync(join(root, 'apps/dashboard/dist/index.html'), 'utf8')
const running = new AbortController().signal

/** Makes a page of what its first argument after `--outDir` says, `build` being what it is. */
const builder = (text: string) => `
  const { mkdirSync, writeFileSync } = await import('node:fs')
  const out = process.argv[process.argv.indexOf('--outDir') + 1]
  mkdirSync(out)
  writeFileSync(out + '/index.html', ${JSON.stringify(text)})
  if (process.argv[2] !== 'build' || !process.cwd().endsWith('dashboard')) process.exit(1)`

/** Says what it was told, and that it is ready when there is a file that says so. */
const dashboard = `
  import { existsSync } from 'node:fs'
  import { createServer } from 'node:http'
  const { HTTP_HOST, HTTP_PORT, CHART_ADDRESS, CHART_TLS, REDIS_URL, HEALTH_PORT } = process.env
  const status = () => existsSync('may-be-ready') ? 200 : 503
  createServer((_, response) => response.writeHead(status()).end()).listen(HEALTH_PORT, '127.0.0.1')
  createServer((_, response) => response.end(JSON.stringify({ CHART_ADDRESS, CHART_TLS, REDIS_URL }))).listen(HTTP_PORT, HTTP_HOST)`

test('the page is built, put in the place of the former one, and served at the address that is told', async () => {
  mkdirSync(join(root, 'apps/dashboard/dist'))
  write('apps/dashboard/dist/index.html', 'former')
  write('node_modules/vite/bin/vite.js', builder('new'))
  await using page = startPage(context, supervisor, running)
  const url = `http://127.0.0.1:${context.httpPort}`
  expect([page.url(), page.text()]).toEqual([undefined, `${url}   being built`])
  await until('it is built', () => page.text() === `${url}   not ready yet`)
  expect([page.url(), dist()]).toEqual([undefined, 'new'])
  write('may-be-ready', '')
  await until('it is served', () => page.text() === url)
  expect([page.url(), page.fault()]).toEqual([url, undefined])
  expect(await (await fetch(url)).json()).toEqual({
    CHART_ADDRESS: '127.0.0.1:7',
    CHART_TLS: 'off',
    REDIS_URL: 'redis://r',
  })
  expect(readdirSync(join(root, 'node_modules'))).toEqual(['vite'])
})

test('a page that cannot be built is told in a sentence, stops nothing, and leaves the former as it is', async () => {
  mkdirSync(join(root, 'apps/dashboard/dist'))
  write('apps/dashboard/dist/index.html', 'former')
  write(
    'node_modules/vite/bin/vite.js',
    `${builder('half')}; console.error('main.ts: Unexpected token'); process.exit(1)`,
  )
  await using page = startPage(context, supervisor, running)
  await until('it fails', () => page.fault() !== undefined)
  expect(page.fault()).toBe(
    `there is no page, since it could not be built; all else runs: ${join(root, 'logs', 'dashboard-build.log')} says why`,
  )
  expect(readFileSync(supervisor.logFile('dashboard-build'), 'utf8')).toContain('main.ts: Unexpected token')
  expect([page.url(), page.text(), dist()]).toEqual([undefined, 'no page, see below', 'former'])
  expect(supervisor.views()).toEqual([])
  expect(readdirSync(join(root, 'node_modules'))).toEqual(['vite'])
})

test('a stop while it is being built is no fault, and starts nothing more', async () => {
  write('node_modules/vite/bin/vite.js', `process.title = 'building'; setInterval(() => {}, 1000)`)
  const stop = new AbortController()
  const page = startPage(context, supervisor, stop.signal)
  stop.abort()
  await page[Symbol.asyncDispose]()
  expect([page.fault(), supervisor.views()]).toEqual([undefined, []])
})
