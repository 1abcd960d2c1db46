import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { counterBy } from './counter-by.ts'

test('every value shows 0 before anything was counted, and counts for itself', async () => {
  const registry = new Registry()
  const counter = counterBy('result', ['ok', 'error'], { name: 'a_total', help: 'A', registers: [registry] })
  const shown = async () => (await registry.metrics()).split('\n').filter(line => !line.startsWith('#') && line)
  expect(await shown()).toEqual(['a_total{result="ok"} 0', 'a_total{result="error"} 0'])
  counter.inc({ result: 'error' }, 2)
  expect(await shown()).toEqual(['a_total{result="ok"} 0', 'a_total{result="error"} 2'])
})
