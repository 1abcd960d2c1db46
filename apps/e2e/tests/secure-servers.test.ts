import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startExchangeSimulator } from '@chart/exchange-simulator'
import { hashOfSecret, newApiKey, openBarClient, textOfApiKey } from '@chart/grpc'
import { openPostgres } from '@chart/postgres'
import { closeRedis, openRedis } from '@chart/redis'
import { freePort, startPostgres, startRedis } from '@chart/servers'
import { killApps, runApp, until, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { afterEach, expect, onTestFailed, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { ShownPage } from '../src/shown-page.ts'

/**
 * The service on servers that ask for TLS and passwords: each app logs into Redis as a user of its own, with the rights of
 * libs/redis/users.acl and no others, and into PostgreSQL as a role that owns nothing. The dashboard calls the edge by TLS, with a key of its own.
 */

const ROLES = ['ingestor', 'aggregator', 'persister', 'auditor', 'edge'] as const
const SYMBOLS = ['BTCUSDT', 'ETHUSDT']
const MINUTE_MS = 60_000
/** A minute of the exchange passes in six seconds. */
const SPEED = 10
/** Eight processes over TLS, beside another test's: this only ends a test that is lost anyway. */
const WAIT_MS = 150_000
const OUTPUT_TAIL = 3_000

afterEach(killApps)

const passwordOf = (role: string) => `${role}-s3cret`

/** What an edge needs for TLS and API keys, and what its callers then need. */
async function secureEdge() {
  const ca = await createTestCa('edges')
  const { cert, key } = await ca.issue('edge', ['127.0.0.1'])
  const [clientKey, dashboardKey] = [newApiKey('client'), newApiKey('dashboard')]
  const entries = [
    { id: clientKey.id, sha256: hashOfSecret(clientKey.secret), scopes: ['live', 'history'] },
    { id: dashboardKey.id, sha256: hashOfSecret(dashboardKey.secret), scopes: ['history'] },
  ]
  const files = await writeFolder({ ca: ca.cert, cert, key, keys: JSON.stringify(entries) })
  return {
    variables: {
      AUTH: 'on',
      API_KEYS_FILE: files.paths.keys,
      GRPC_TLS_CERT_FILE: files.paths.cert,
      GRPC_TLS_KEY_FILE: files.paths.key,
    },
    ofClient: { tls: { ca: ca.cert }, apiKey: textOfApiKey(clientKey) },
    ofDashboard: { CHART_TLS: 'on', CHART_TLS_CA_FILE: files.paths.ca, CHART_API_KEY: textOfApiKey(dashboardKey) },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  }
}

/** One server, or a cluster that is one node: what a client asks and may ask is the same in a larger one. */
const CLUSTER = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--tls-cluster', 'yes']

async function startSecureRedis(scheme: 'rediss' | 'rediss+cluster') {
  const ca = await createTestCa('Redis')
  const { cert, key } = await ca.issue('redis', ['127.0.0.1'])
  const text = await readFile(fileURLToPath(new URL('../../../libs/redis/users.acl', import.meta.url)), 'utf8')
  // Plain text stays open for the one who starts it, to see that it is there.
  const users = text
    .replace(/^user default off$/m, 'user default on nopass ~* &* +@all')
    .replace(/>(\w+)_PASSWORD/g, (_, name: string) => `>${passwordOf(name.toLowerCase())}`)
  const files = await writeFolder({ ca: ca.cert, cert, key, users })
  const port = await freePort()
  const server = await startRedis({
    args: [
      ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--aclfile', files.paths.users],
      ...(scheme === 'rediss+cluster' ? CLUSTER : []),
      ...['--tls-ca-cert-file', files.paths.ca, '--tls-cert-file', files.paths.cert, '--tls-key-file', files.paths.key],
    ],
  })
  if (scheme === 'rediss+cluster') {
    const admin = await openRedis(server.url, 'admin')
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await until('all slots have a master', async () =>
      /cluster_state:ok/.test(String(await admin.call('CLUSTER', 'INFO'))),
    )
    closeRedis(admin)
  }
  return {
    server,
    urlOf: (role: string) => `${scheme}://${role}:${passwordOf(role)}@127.0.0.1:${port}?ca=${files.paths.ca}`,
    async [Symbol.asyncDispose]() {
      await server.close()
      await files[Symbol.asyncDispose]()
    },
  }
}

test.each(['rediss', 'rediss+cluster'] as const)(
  '%s: every app works with a user of its own in Redis and PostgreSQL over TLS, and asks for nothing that it may not',
  async scheme => {
    await using redis = await startSecureRedis(scheme)
    const ca = await createTestCa('PostgreSQL')
    await using postgresFiles = await writeFolder({ ca: ca.cert })
    await using postgresServer = await startPostgres({
      fsync: false,
      tls: await ca.issue('postgres', ['127.0.0.1']),
      hba: ['hostnossl all postgres 127.0.0.1/32 trust', 'hostssl all chart 127.0.0.1/32 scram-sha-256'],
    })
    const databaseUrl = `postgres://chart:${passwordOf('chart')}@127.0.0.1:${postgresServer.port}/postgres?sslmode=verify-full&sslrootcert=${postgresFiles.paths.ca}`
    await using admin = await openPostgres({ url: postgresServer.url, applicationName: 'admin' })
    const migrated = runApp('persister', { DATABASE_URL: postgresServer.url }, 'migrate')
    expect(await migrated.exited, migrated.output.text).toBe(0)
    await admin.query({ text: `CREATE ROLE chart LOGIN PASSWORD '${passwordOf('chart')}'` })
    await admin.query({ text: 'GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO chart' })

    const startTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
    await using exchange = await startExchangeSimulator({
      market: { symbols: SYMBOLS, tradesPerSecond: 10, genesisTime: startTime },
      clock: { startTime, speed: SPEED },
    })
    await using access = await secureEdge()
    const apps = ROLES.map(role =>
      runApp(role, {
        REDIS_URL: redis.urlOf(role),
        DATABASE_URL: databaseUrl,
        BINANCE_STREAM_URL: exchange.streamUrl,
        BINANCE_API_URL: exchange.url,
        SYMBOLS: SYMBOLS.join(),
        INTERVALS: '1s,1m',
        IMPORT_BARS: '0',
        GRPC_HOST: '127.0.0.1',
        GRPC_PORT: '0',
        ...access.variables,
      }),
    )
    onTestFailed(() => console.error(apps.map(app => app.output.text.slice(-OUTPUT_TAIL)).join('\n')))
    const edge = apps[ROLES.indexOf('edge')]!
    const address = () => `127.0.0.1:${/"port":(\d+),"msg":"gRPC listening"/.exec(edge.output.text)?.[1]}`
    await until('the edge listens', () => !address().endsWith('undefined'))
    using client = openBarClient(address(), access.ofClient)
    const dashboard = runApp('dashboard', {
      REDIS_URL: redis.urlOf('dashboard'),
      INTERVALS: '1s,1m',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: '0',
      CHART_ADDRESS: address(),
      ...access.ofDashboard,
    })
    apps.push(dashboard)

    const plain = await openRedis(redis.server.url, 'admin')
    /** What Redis refused, to whom. */
    const refusals = async () => ((await plain.call('ACL', 'LOG')) as unknown[][]).map(entry => entry.join(' '))
    /** Waits in vain no longer than until the first refusal. */
    const untilOrRefused = async (what: string, condition: () => Promise<boolean>) => {
      await until(what, async () => (await refusals()).length > 0 || condition(), WAIT_MS)
      expect(await refusals()).toEqual([])
    }

    let closed = 0
    await untilOrRefused('bars close on a stream', async () => {
      const stop = AbortSignal.timeout(10_000)
      for await (const { events } of client.streamBars({ symbols: SYMBOLS, intervals: ['1m'] }, stop)) {
        closed += events.filter(event => event.type === 'BAR_EVENT_TYPE_CLOSED').length
        if (closed > 2) return true
      }
      return false
    })
    const untilTime = Math.floor(exchange.now() / MINUTE_MS) * MINUTE_MS
    await untilOrRefused('all bars are stored and right', async () => {
      const { missing, differing } = await compareWithOracle(admin, exchange.url, SYMBOLS, ['1m'], untilTime)
      return missing.length === 0 && differing.length === 0
    })
    await untilOrRefused('the audit has looked at some', async () => {
      const { bars } = await client.listBars({ symbol: 'BTCUSDT', interval: '1m' })
      return bars.some(bar => bar.proof === 'BAR_PROOF_VERIFIED')
    })
    const pagePort = /"port":(\d+),"msg":"HTTP listening"/.exec(dashboard.output.text)?.[1]
    const page = new ShownPage(`http://127.0.0.1:${pagePort}`)
    await untilOrRefused('the page is told live bars, feeds and history', async () => {
      const told = await page.events(
        SYMBOLS.map(symbol => `${symbol}:1m`),
        ['bar', 'feed', 'history'],
      )
      return told.feed!.every(({ state }) => state === 'live')
    })
    expect(await page.symbols()).toHaveLength(SYMBOLS.length)
    expect(await page.bars('BTCUSDT', '1m', Math.floor(exchange.now()))).not.toEqual([])
    const asked = await plain.call('ACL', 'DRYRUN', 'dashboard', 'HSET', 'bar:{p00}:BTCUSDT:1m', 'close', '1')
    expect(String(asked)).toContain('no permissions')
    expect(await refusals()).toEqual([])
    closeRedis(plain)
    for (const { child } of apps) child.kill('SIGTERM')
    expect(await Promise.all(apps.map(app => app.exited))).toEqual(apps.map(() => 0))
    for (const { output } of apps) expect(output.text).not.toContain('s3cret')
  },
)
