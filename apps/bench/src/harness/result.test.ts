import { expect, it } from 'vitest'
import { resultOfRounds } from './example.testing.ts'

it('compares inside a round, so that a slow round of both changes no ratio', () => {
  const { ratios } = resultOfRounds(
    [{ perSecond: 50 }, { perSecond: 5 }, { perSecond: 60 }],
    [{ perSecond: 100 }, { perSecond: 10 }, { perSecond: 100 }],
  )
  expect(ratios[0]).toMatchObject({ median: 0.5, lowest: 0.5, highest: 0.6 })
})

it('turns a figure of which less is better round: above 1 is better all the same', () => {
  const { ratios } = resultOfRounds([{ cpuUs: 2 }], [{ cpuUs: 6 }])
  expect(ratios[1]).toMatchObject({ figure: 'cpuUs', median: 3 })
})

it('takes the median of each figure by itself', () => {
  const { variants } = resultOfRounds(
    [
      { perSecond: 1, cpuUs: 30 },
      { perSecond: 3, cpuUs: 10 },
      { perSecond: 2, cpuUs: 20 },
    ],
    [],
  )
  expect(variants[0]).toMatchObject({ name: 'ours', role: 'ours', median: { perSecond: 2, cpuUs: 20 } })
})

it('has no ratio where a way has no such figure', () => {
  const { variants, ratios } = resultOfRounds([{ perSecond: 1 }], [{ perSecond: 2 }])
  expect(variants[0]!.median).not.toHaveProperty('cpuUs')
  expect(ratios[1]!.median).toBeNaN()
})
