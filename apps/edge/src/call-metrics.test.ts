import { Registry } from '@chart/service'
import { expect, test } from 'vitest'
import { CallMetrics } from './call-metrics.ts'

async function shownBy(registry: Registry, pattern: RegExp): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter(line => pattern.test(line))
}

test('every way in which a call or connection may end shows 0 until one has', async () => {
  const registry = new Registry()
  const metrics = new CallMetrics(registry, () => 3)
  const counted = /^chart_edge_(calls|refused_\w+)_total/
  expect(await shownBy(registry, counted)).toHaveLength(4 * 10 + 6 + 9)
  expect(await shownBy(registry, /_total\{.*\} [^0]/)).toEqual([])
  metrics.noteConnectionEnd('silent')
  metrics.noteCall({
    method: '/chart.v1.ChartService/ListBars',
    peer: '127.0.0.1:1',
    keyId: undefined,
    code: 'UNAUTHENTICATED',
    ms: 2,
    refusal: 'no key',
  })
  expect(await shownBy(registry, /_total\{.*\} [^0]/)).toEqual([
    'chart_edge_calls_total{method="/chart.v1.ChartService/ListBars",code="UNAUTHENTICATED"} 1',
    'chart_edge_refused_calls_total{code="UNAUTHENTICATED"} 1',
    'chart_edge_refused_connections_total{reason="silent"} 1',
  ])
  expect(await shownBy(registry, counted), 'no series that was not there').toHaveLength(4 * 10 + 6 + 9)
  expect(await shownBy(registry, /^chart_edge_connections /)).toEqual(['chart_edge_connections 3'])
})
