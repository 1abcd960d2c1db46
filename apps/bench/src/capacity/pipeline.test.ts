import { expect, test } from 'vitest'
import type { Costs } from './costs.ts'
import { EventQueue } from './event-queue.ts'
import { type Pipeline, simulatePipeline } from './pipeline.ts'

const COSTS: Costs = {
  ingestorCallUs: 100,
  ingestorSymbolUs: 5,
  ingestorTradeUs: 2,
  appendCallUs: 50,
  appendSymbolUs: 10,
  aggregatorCallUs: 200,
  aggregatorSymbolUs: 80,
  aggregatorTradeUs: 1,
  commitCallUs: 100,
  commitSymbolUs: 40,
  hopUs: 100,
}
const ONE: Pipeline = { symbols: 1, tradesPerSecond: 10, partitions: 1, masters: 1, ingestors: 1, aggregators: 1 }

function random(): () => number {
  let state = 7
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test('events run in the order of their times, also those that events add', () => {
  const queue = new EventQueue()
  const order: number[] = []
  for (const time of [5, 1, 4, 2, 3]) queue.at(time, () => order.push(time))
  queue.at(2.5, () => queue.at(3.5, () => order.push(3.5)))
  queue.runUntil(5)
  expect(order).toEqual([1, 2, 3, 3.5, 4])
})

test('a trade that comes alone takes the sum of the costs on its way', () => {
  const { p50Ms, symbolsPerCommit } = simulatePipeline(ONE, COSTS, 20, random())
  const sumUs = 100 + 5 + 2 + 50 + 10 + 200 + 80 + 1 + 100 + 40 + 2 * 100
  expect(p50Ms).toBeCloseTo(sumUs / 1_000, 6)
  expect(symbolsPerCommit).toBe(1)
})

test('a core that is full makes what it carries larger, and latency stays bounded', () => {
  const { busy, tradesPerSymbol, p99Ms } = simulatePipeline({ ...ONE, tradesPerSecond: 50_000 }, COSTS, 4, random())
  expect(tradesPerSymbol).toBeGreaterThan(10)
  expect(p99Ms).toBeLessThan(10)
  expect(busy.aggregator).toBeLessThanOrEqual(1)
})

test('more aggregators share the work', () => {
  const wide = { ...ONE, symbols: 2_000, tradesPerSecond: 20_000, partitions: 32 }
  const one = simulatePipeline(wide, COSTS, 3, random())
  const two = simulatePipeline({ ...wide, aggregators: 2 }, COSTS, 3, random())
  expect(one.busy.aggregator).toBeGreaterThan(0.95)
  expect(two.p50Ms).toBeLessThan(one.p50Ms * 0.8)
})
