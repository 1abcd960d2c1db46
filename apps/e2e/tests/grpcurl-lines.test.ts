import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashOfSecret, newApiKey, textOfApiKey } from '@chart/grpc'
import { findCommand } from '@chart/servers'
import { killApps, runApp, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'

const README = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
/** Where the README says that an edge is, and one with TLS that asks for keys. */
const ADDRESS = 'localhost:50051'
const SECURE_ADDRESS = 'edge.example.com:443'
const LINES = README.split('\n').filter(line => line.startsWith('grpcurl '))

/** Bars must have closed first. */
const LINE_TIMEOUT_MS = 30_000

let service: LocalService
let secure: Awaited<ReturnType<typeof startSecureEdge>>
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
    TRADES_PER_SECOND: '6',
  })
  secure = await startSecureEdge()
})

/** A second edge of the service, with a certificate and a key of its own; as an operator would start it. */
async function startSecureEdge() {
  const ca = await createTestCa()
  const { cert, key } = await ca.issue('edge')
  const apiKey = newApiKey('readme')
  const entry = { id: apiKey.id, sha256: hashOfSecret(apiKey.secret), scopes: ['live', 'history'] }
  const files = await writeFolder({ 'ca.pem': ca.cert, cert, key, keys: JSON.stringify([entry]) })
  const edge = runApp('edge', {
    REDIS_URL: service.run.redisUrl,
    DATABASE_URL: service.run.databaseUrl,
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    GRPC_TLS_CERT_FILE: files.paths.cert,
    GRPC_TLS_KEY_FILE: files.paths.key,
    AUTH: 'on',
    API_KEYS_FILE: files.paths.keys,
  })
  const listening = () => edge.output.text.split('\n').find(line => line.includes('"gRPC listening"'))
  await service.until('the secure edge listens', () => listening() !== undefined)
  const address = `localhost:${JSON.parse(listening()!).port}`
  return { address, files, folder: dirname(files.paths['ca.pem']), apiKey: textOfApiKey(apiKey) }
}

afterAll(async () => {
  await killApps()
  await secure.files[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
  await rm(bin, { recursive: true })
})

/** Runs a line of the README as it is written, at the service's own address, until it ends or has said enough. */
async function runLine(line: string, isEnough: (text: string) => boolean) {
  const command = line.replaceAll(ADDRESS, service.run.grpc).replaceAll(SECURE_ADDRESS, secure.address)
  const child = spawn('sh', ['-c', command], {
    // Where ca.pem is.
    cwd: secure.folder,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, CHART_API_KEY: secure.apiKey },
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

test('without a key, or without the issuer, the secure edge refuses', async () => {
  const call = `-d '{}' ${SECURE_ADDRESS} chart.v1.ChartService/ListSymbols`
  const withKey = '-H "authorization: Bearer $CHART_API_KEY"'
  expect(await runLine(`grpcurl -cacert ca.pem ${withKey} ${call}`, () => false)).toContain('BTCUSDT')
  for (const line of [`grpcurl -cacert ca.pem ${call}`, `grpcurl ${withKey} ${call}`]) {
    expect(await runLine(line, () => false)).not.toContain('BTCUSDT')
  }
})

test('a field that the contract does not have is refused, so the lines above use its names', async () => {
  const line = `grpcurl -plaintext -d '{"symbol":"BTCUSDT","interwal":"1m"}' ${ADDRESS} chart.v1.ChartService/GetLiveBar`
  expect(await runLine(line, () => false)).toMatch(/interwal/)
})
