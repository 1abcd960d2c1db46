import { expect, it } from 'vitest'
import { BarsBehind } from './bars-behind.ts'

const looksOf = (looks: readonly (readonly [fed: number, through: number | undefined])[]) => {
  const bars = new BarsBehind()
  return looks.map(([fed, through]) => bars.look(fed, through))
}

it('bars that lack a trade for five looks are behind, until they have those of five looks ago', () => {
  const standing = [10, 20, 30, 40, 50, 60, 70].map(fed => [fed, 9] as const)
  expect(looksOf(standing)).toEqual([false, false, false, false, false, true, true])
  expect(looksOf([...standing, [80, 29], [90, 40]]).slice(-2)).toEqual([true, false])
})

it('bars that follow are not behind, however many trades are on the way', () => {
  expect(looksOf(Array.from({ length: 20 }, (_, look) => [look * 1_000, (look - 4) * 1_000]))).not.toContain(true)
})

it('in a silent market nothing is behind', () => {
  expect(looksOf(Array.from({ length: 20 }, () => [7, 7]))).not.toContain(true)
})

it('where there are no bars yet none are behind', () => {
  expect(looksOf(Array.from({ length: 20 }, () => [7, undefined]))).not.toContain(true)
})
