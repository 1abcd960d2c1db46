import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCommand } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'

const README = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
/** Where the README says that an edge is. */
const ADDRESS = 'localhost:50051'
const LINES = README.split('\n').filter(line => line.startsWith('grpcurl '))

/** Bars must have closed first. */
const LINE_TIMEOUT_MS = 30_000

let service: LocalService
/** Before everything else on the PATH: grpcurl, or what stands in for it. */
let bin: string

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'chart-grpcurl-'))
  if (findCommand('grpcurl') === undefined) {
    const standIn = fileURLToPath(new URL('grpcurl-by-buf.ts', import.meta.url))
    await writeFile(join(bin, 'grpcurl'), `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`)
    await chmod(join(bin, 'grpcurl'), 0o755)
  }
  service = await LocalService.start({
    SYMBOLS: 'BTCUSDT,ETHUSDT',
    START_TIME: String(Math.floor(Date.now() / 60_000) * 60_000),
    SPEED: '20',
    TRADES_PER_SECOND: '20',
    GRPC_PORT: '',
  })
})

afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await rm(bin, { recursive: true })
})

/** Runs a line of the README as it is written, at the service's own address, until it ends or has said enough. */
async function runLine(line: string, isEnough: (text: string) => boolean) {
  const child = spawn('sh', ['-c', line.replaceAll(ADDRESS, service.run.grpc)], {
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    detached: true,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      // A stream has no end of its own.
      if (isEnough(text)) process.kill(-child.pid!, 'SIGTERM')
    })
  }
  await once(child, 'close')
  return text
}

/** What a line must say, by what it calls. */
const WANTED: Record<string, RegExp> = {
  list: /chart\.v1\.ChartService/,
  'chart.v1.ChartService/StreamBars': /"type": ?"BAR_EVENT_TYPE_(SNAPSHOT|UPDATE|CLOSED)"/,
  'chart.v1.ChartService/ListBars': /"proof"|"BAR_STATE_CLOSED"/,
  'chart.v1.ChartService/GetLiveBar': /"state": ?"BAR_STATE_LIVE"/,
  'chart.v1.ChartService/ListSymbols': /"symbol": ?"BTCUSDT"/,
  'grpc.health.v1.Health/Check': /"status": ?"SERVING"/,
}

const methodOf = (line: string) => Object.keys(WANTED).find(method => line.includes(` ${method}`))

test('the README has lines, and each calls what is known here', () => {
  expect(LINES.length).toBeGreaterThan(2)
  expect(LINES.filter(line => methodOf(line) === undefined)).toEqual([])
})

test.each(LINES)('%s', async line => {
  const wanted = WANTED[methodOf(line)!]!
  await service.until(
    'it says what it should',
    async () => wanted.test(await runLine(line, text => wanted.test(text))),
    LINE_TIMEOUT_MS,
  )
})

test('a field that the contract does not have is refused, so the lines above use its names', async () => {
  const line = `grpcurl -plaintext -d '{"symbol":"BTCUSDT","interwal":"1m"}' ${ADDRESS} chart.v1.ChartService/GetLiveBar`
  expect(await runLine(line, () => false)).toMatch(/interwal/)
})
