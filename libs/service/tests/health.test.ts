import { expect, test } from 'vitest'
import { Counter, openLog, type ReadinessCheck, Registry, serveHealth } from '../src/index.ts'

const log = openLog('test', 'error')

async function serve(checks: readonly ReadinessCheck[], registry = new Registry(), port = 0) {
  return serveHealth({ host: '127.0.0.1', port, registry, checks, log })
}

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, text: await response.text() }
}

test('a process lives whatever its servers do, and is ready only when every check passes', async () => {
  let broken = true
  const check = async () => {
    if (broken) throw new Error('it does not answer')
  }
  await using health = await serve([
    { name: 'redis', check },
    { name: 'postgres', check: async () => undefined },
  ])
  expect(await get(health.port, '/livez')).toEqual({ status: 200, text: 'ok\n' })
  expect(await get(health.port, '/readyz')).toEqual({ status: 503, text: 'redis: it does not answer\n' })
  broken = false
  expect(await get(health.port, '/readyz')).toEqual({ status: 200, text: 'ok\n' })
})

test('a check that throws at once, or never answers, is a fault and not a crash', async () => {
  const thrown = () => {
    throw new Error('thrown')
  }
  await using health = await serve([
    { name: 'a', check: thrown },
    { name: 'b', check: () => new Promise(() => undefined) },
  ])
  expect(await get(health.port, '/readyz')).toEqual({ status: 503, text: 'a: thrown\nb: no answer in 2000 ms\n' })
})

test('metrics are those of the registry; another path says which there are', async () => {
  const registry = new Registry()
  new Counter({ name: 'chart_test_total', help: 'test', registers: [registry] }).inc(3)
  await using health = await serve([], registry)
  expect((await get(health.port, '/metrics')).text).toContain('chart_test_total 3')
  expect(await get(health.port, '/')).toEqual({ status: 404, text: 'paths: /livez /readyz /metrics\n' })
})

test('a taken port is named', async () => {
  await using health = await serve([])
  await expect(serve([], new Registry(), health.port)).rejects.toThrow(
    `health port 127.0.0.1:${health.port} is in use; set HEALTH_PORT to a free one`,
  )
})
