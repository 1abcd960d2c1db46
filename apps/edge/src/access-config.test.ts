import { ConfigError, EnvReader } from '@chart/service'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const read = (env: Record<string, string>) => readConfig(new EnvReader(env))
const TLS = { GRPC_TLS_CERT_FILE: 'c', GRPC_TLS_KEY_FILE: 'k' }

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('on %s no keys are asked for unless AUTH=on', host => {
  expect(read({ GRPC_HOST: host }).access).toMatchObject({ apiKeysFile: undefined, warnings: [] })
  expect(read({ GRPC_HOST: host, AUTH: 'on', API_KEYS_FILE: 'f' }).access).toMatchObject({
    apiKeysFile: 'f',
    warnings: [],
  })
  expect(read({ GRPC_HOST: host, API_KEYS_FILE: 'f' }).access.warnings).toEqual([
    'API_KEYS_FILE is not used, since AUTH is off; AUTH=on asks for keys',
  ])
})

test.each(['0.0.0.0', '::', '10.0.0.7', '127.evil.example', 'edge'])(
  'on %s keys are asked for unless AUTH=off',
  host => {
    expect(() => read({ GRPC_HOST: host })).toThrow(ConfigError)
    expect(() => read({ GRPC_HOST: host })).toThrow(/set API_KEYS_FILE .*npx chart key ID.*AUTH=off/)
    expect(read({ GRPC_HOST: host, API_KEYS_FILE: 'f', ...TLS }).access).toMatchObject({
      apiKeysFile: 'f',
      warnings: [],
    })
    expect(read({ GRPC_HOST: host, API_KEYS_FILE: 'f' }).access.warnings).toEqual([
      expect.stringContaining('plain text'),
    ])
    expect(read({ GRPC_HOST: host, AUTH: 'off' }).access.warnings).toEqual([expect.stringContaining('everybody')])
  },
)

test.each<[Record<string, string>, string]>([
  [{ GRPC_TLS_CERT_FILE: 'c' }, 'GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together'],
  [{ GRPC_TLS_KEY_FILE: 'k' }, 'belong together'],
  [{ GRPC_TLS_CLIENT_CA_FILE: 'a' }, 'belong together'],
  [{ AUTH: 'yes' }, 'AUTH must be one of auto, on, off, not "yes"'],
  [{ AUTH: 'on' }, 'AUTH=on'],
  [{ STREAMS_PER_KEY: '0' }, 'STREAMS_PER_KEY must be a whole number from 1'],
  [{ DRAIN_DELAY_MS: '20000' }, 'DRAIN_DELAY_MS must be a whole number from 0 to 14000'],
])('%j is refused', (env, message) => {
  expect(() => read({ GRPC_HOST: '127.0.0.1', ...env })).toThrow(message)
})

test('a connection that has come of age waits for the longest stream', () => {
  const graceOf = (env: Record<string, string>) =>
    read({ GRPC_HOST: '127.0.0.1', ...env }).access.serverLimits.connectionAgeGraceMs
  for (const minutes of [1, 30, 600]) {
    expect(graceOf({ STREAM_AGE_MS: String(minutes * 60_000) })).toBeGreaterThan(1.2 * minutes * 60_000)
  }
})

test('the delay before draining is for those who are behind a balancer', () => {
  expect(read({ GRPC_HOST: '127.0.0.1' }).drainDelayMs).toBe(0)
  expect(read({ AUTH: 'off' }).drainDelayMs).toBe(5_000)
  expect(read({ AUTH: 'off', DRAIN_DELAY_MS: '100' }).drainDelayMs).toBe(100)
})
