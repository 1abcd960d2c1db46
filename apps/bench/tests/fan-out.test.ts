import { expect, test } from 'vitest'
import { fanOutStage } from '../src/stages/fan-out/fan-out-stage.ts'
import { costOfStuckClients } from '../src/stages/subscribers/stuck-clients.ts'

/** What the benchmarks find of time is no test's business; that they run is, and what they find of memory. */

test('each server of the benchmark tells every trade on every stream, and is measured', async () => {
  const load = { streams: 4, streamsPerConnection: 2, symbols: 2, tradesPerSecond: 500 }
  const stage = fanOutStage({ name: 'fan-out', load, seconds: 0.2 })
  // Which checks that each stream is told each trade once.
  await using open = await stage.open(1)
  for (const { name } of stage.variants) {
    const sample = await open.run(name)
    expect(Object.keys(sample).sort(), name).toEqual(stage.figures.map(figure => figure.name).sort())
    expect(sample.perSecond, name).toBeGreaterThan(0)
  }
})

test('twenty clients that never read cost the edge little memory, and a server that keeps everything for them a lot', async () => {
  const load = { stuck: 20, reading: 2, updates: 10_000, tradesPerSecond: 5_000, warmUpSeconds: 0.5 }
  const growthOf = async (server: 'edge' | 'naive') => {
    const { before, highest } = await costOfStuckClients(server, load)
    return highest - before
  }
  const [edge, naive] = await Promise.all([growthOf('edge'), growthOf('naive')])
  expect(edge).toBeLessThan(naive / 3)
})
