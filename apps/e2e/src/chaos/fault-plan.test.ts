import { expect, test } from 'vitest'
import { drawPlan, TARGETS } from './fault-plan.ts'
import { createRandom } from './random.ts'

const plansOf = (seed: number) => {
  const random = createRandom(seed)
  return Array.from({ length: 2_000 }, () => drawPlan(random))
}

test('a seed has its plans, whoever draws them, and another seed has others', () => {
  expect(plansOf(1)).toEqual(plansOf(1))
  expect(plansOf(1)).not.toEqual(plansOf(2))
})

test('every target is hit in each of its ways, and nothing for longer than a client of Redis waits at its start', () => {
  const plans = plansOf(3)
  const ways = new Set(plans.map(({ target, kind }) => `${kind} ${target}`))
  expect([...ways].sort()).toEqual(
    TARGETS.flatMap(target =>
      target === 'redis-connection' ? [`cut ${target}`, `stall ${target}`] : [`kill ${target}`, `stop ${target}`],
    ).sort(),
  )
  for (const { ms, share } of plans) {
    expect(ms).toBeLessThanOrEqual(8_000)
    expect(share).toBeLessThan(1)
  }
})
