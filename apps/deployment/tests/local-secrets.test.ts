import { fileURLToPath } from 'node:url'
import { apiKeyOf, isSecretOf } from '@chart/grpc'
import { closeRedis, openRedis } from '@chart/redis'
import { startRedis } from '@chart/servers'
import { writeFolder } from '@chart/testkit'
import { beforeAll, expect, test } from 'vitest'
import { ofKind } from '../src/kube-object.ts'
import { PLACES } from '../src/places.ts'
import { readObjects } from '../src/read-objects.ts'
import { runCommand } from '../src/run-command.ts'
import { readSecretsContract } from '../src/secrets-contract.ts'

/** What `npm run -s secrets:local` prints, as kubectl reads it. */

const APPS = ['ingestor', 'aggregator', 'persister', 'auditor', 'edge', 'dashboard']

const secrets = new Map<string, Readonly<Record<string, string>>>()
let shownKey = ''
let said = ''
let text = ''

beforeAll(async () => {
  const program = fileURLToPath(new URL('../src/secrets.ts', import.meta.url))
  const outcome = await runCommand(process.execPath, [program])
  expect(outcome?.status, outcome?.stderr).toBe(0)
  text = outcome!.stdout
  said = outcome!.stderr
  shownKey = said.trim().split('\n').at(-1)!
  for (const { metadata, stringData } of ofKind(readObjects(text, 'stdout'), 'Secret')) {
    secrets.set(metadata!.name!, stringData!)
  }
})

test('every Secret and key of the contract is there but those of other overlays, and nothing is left to fill in', async () => {
  const contract = (await readSecretsContract(PLACES)).filter(({ metadata }) => metadata?.name !== 'edge-tls')
  const keysOf = (data: object | undefined) => Object.keys(data ?? {})
  expect([...secrets].map(([name, data]) => [name, keysOf(data)])).toEqual(
    contract.map(({ metadata, stringData }) => [metadata?.name, keysOf(stringData)]),
  )
  expect(text).not.toMatch(/REPLACE-ME|_PASSWORD[ ~]/)
  const [first] = readObjects(text, 'stdout')
  expect(first?.kind, 'the namespace comes before what is in it').toBe('Namespace')
})

test('a real Redis loads the users, and each app gets in with its URL and no other', async () => {
  const users = secrets.get('redis')!['users.acl']!
  expect(users).toContain('user default off')
  // Whoever starts it asks without a password whether it is there.
  await using files = await writeFolder({ users: users.replace('default off', 'default on nopass ~* &* +@all') })
  await using server = await startRedis({ args: ['--aclfile', files.paths.users] })
  const here = (url: string) => url.replace(/@.*$/, `@127.0.0.1:${server.port}`)
  for (const app of APPS) {
    const redis = await openRedis(here(secrets.get(app)!.REDIS_URL!), app)
    expect(await redis.call('CLIENT', 'INFO')).toContain(` user=${app} `)
    closeRedis(redis)
  }
  const stranger = await openRedis(server.url, 'stranger')
  await expect(stranger.call('AUTH', 'edge', 'another')).rejects.toThrow('WRONGPASS')
  closeRedis(stranger)
})

test('the addresses of PostgreSQL name its roles with their passwords', () => {
  const { POSTGRES_PASSWORD, SERVICE_PASSWORD } = secrets.get('postgres')!
  for (const app of ['ingestor', 'persister', 'auditor', 'edge']) {
    const url = new URL(secrets.get(app)!.DATABASE_URL!)
    expect([url.username, url.password, url.host]).toEqual(['chart', SERVICE_PASSWORD, 'postgres:5432'])
  }
  const owner = new URL(secrets.get('migrate')!.DATABASE_URL!)
  expect([owner.username, owner.password]).toEqual(['postgres', POSTGRES_PASSWORD])
})

test('the API key that is shown is the one that edges know', () => {
  const [entry] = JSON.parse(secrets.get('edge-keys')!['keys.json']!)
  const key = apiKeyOf(`Bearer ${shownKey}`)!
  expect(entry).toMatchObject({ id: key.id, scopes: ['live', 'history'] })
  expect(isSecretOf(entry.sha256, key.secret)).toBe(true)
})

test("the dashboard's key is another one, which edges know for history alone, and nobody is shown it", () => {
  const [, entry, ...more] = JSON.parse(secrets.get('edge-keys')!['keys.json']!)
  const key = secrets.get('dashboard')!.CHART_API_KEY!
  const { id, secret } = apiKeyOf(`Bearer ${key}`)!
  expect(entry).toMatchObject({ id, scopes: ['history'] })
  expect(isSecretOf(entry.sha256, secret)).toBe(true)
  expect(more).toEqual([])
  expect(said).not.toContain(secret)
})
