import { expect, test } from 'vitest'
import type { KubeObject } from './kube-object.ts'
import { type Ingredients, makeLocalSecrets } from './local-secrets.ts'

const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1' as const,
  kind: 'Secret' as const,
  metadata: { name },
  stringData,
})

const pod = (...names: string[]) => ({ kind: 'Pod', names }) as unknown as KubeObject

function make(more: Partial<Ingredients>) {
  let count = 0
  const made = makeLocalSecrets({
    contract: [],
    objects: [],
    redisUsers: 'user default off\nuser edge on >EDGE_PASSWORD ~bar:* +hget\n',
    apiKeys: [{ id: 'local' }],
    dashboardKey: 'ck_dashboard_x',
    newPassword: () => `p${++count}`,
    ...more,
  })
  return Object.fromEntries(made.map(({ metadata, stringData }) => [metadata?.name, stringData]))
}

test('a user has one password, in its URL and where the server keeps it', () => {
  const made = make({
    contract: [
      secret('edge', {
        REDIS_URL: 'redis://edge:REPLACE-ME@redis:6379',
        DATABASE_URL: 'postgres://chart:REPLACE-ME@pg/chart',
      }),
      secret('persister', { DATABASE_URL: 'postgres://chart:REPLACE-ME@pg/chart' }),
      secret('redis', { 'users.acl': 'REPLACE-ME: the users\nuser probe on >probe\n' }),
      secret('postgres', { SERVICE_PASSWORD: 'REPLACE-ME' }),
      secret('edge-keys', { 'keys.json': '[REPLACE-ME]' }),
      secret('dashboard', { CHART_API_KEY: 'REPLACE-ME' }),
    ],
    objects: [pod('edge', 'persister', 'redis', 'postgres', 'edge-keys', 'dashboard')],
  })
  expect(made.edge).toEqual({ REDIS_URL: 'redis://edge:p1@redis:6379', DATABASE_URL: 'postgres://chart:p2@pg/chart' })
  expect(made.persister).toEqual({ DATABASE_URL: 'postgres://chart:p2@pg/chart' })
  expect(made.postgres).toEqual({ SERVICE_PASSWORD: 'p2' })
  expect(made.dashboard).toEqual({ CHART_API_KEY: 'ck_dashboard_x' })
  expect(made['edge-keys']).toEqual({ 'keys.json': '[{"id":"local"}]' })
  expect(made.redis!['users.acl']).toMatch(
    /^user default off\nuser edge on #[0-9a-f]{64} ~bar:\* \+hget\nuser probe on >probe\n$/,
  )
})

test('Secrets that the overlay does not name are not made', () => {
  const contract = [secret('edge-tls', { 'tls.key': 'REPLACE-ME' }), secret('edge', { A: 'b' })]
  expect(Object.keys(make({ contract, objects: [pod('edge')] }))).toEqual(['edge'])
})

test('a placeholder that cannot be filled is an error, not a value', () => {
  const contract = [secret('edge', { TOKEN: 'REPLACE-ME' })]
  expect(() => make({ contract, objects: [pod('edge')] })).toThrow('Secret/edge: nobody knows what to put into TOKEN')
})
