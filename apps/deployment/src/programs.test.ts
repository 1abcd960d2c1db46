import { expect, test } from 'vitest'
import { openPrograms } from './programs.ts'

const programs = openPrograms()
const variablesOf = (name: string) => programs.get(name)!.variables

test('each program tells what it reads, also behind conditions', () => {
  expect(variablesOf('persister src/migrate.ts')).toEqual(
    new Set(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'DATABASE_URL']),
  )
  const edge = variablesOf('edge src/main.ts')
  const wanted = ['REDIS_URL', 'API_KEYS_FILE', 'GRPC_TLS_CERT_FILE', 'STREAMS_MAX', 'DRAIN_DELAY_MS', 'HEALTH_PORT']
  for (const name of [...wanted, 'OTEL_TRACES_SAMPLER_ARG', 'OTEL_SERVICE_NAME']) expect(edge).toContain(name)
  for (const name of ['SYMBOLS', 'PARTITIONS', 'QUEUE_REDIS_URL']) expect(edge).not.toContain(name)
  expect(variablesOf('aggregator src/main.ts')).toContain('QUEUE_REDIS_URL')
  expect(variablesOf('ingestor src/main.ts')).toContain('FEED_SHARDS')
  expect(variablesOf('auditor src/main.ts')).toContain('AUDIT_WEIGHT')
  expect(variablesOf('dashboard src/main.ts')).toContain('CHART_TLS_CA_FILE')
  expect(variablesOf('exchange-simulator src/main.ts')).toContain('TRADES_PER_SECOND')
})

test('a config says what is wrong with an environment', () => {
  expect(() => programs.get('edge src/main.ts')!.readConfig({ AUTH: 'on' })).toThrow('API_KEYS_FILE')
})
