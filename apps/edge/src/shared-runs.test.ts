import { expect, test } from 'vitest'
import { SharedRuns } from './shared-runs.ts'

test('who asks while a run is under way shares the next one, whatever became of the first', async () => {
  const begun: { key: string; end: PromiseWithResolvers<number> }[] = []
  const runs = new SharedRuns((key: string) => {
    const end = Promise.withResolvers<number>()
    begun.push({ key, end })
    return end.promise
  })
  const first = runs.run('a')
  await Promise.resolve()
  const second = runs.run('a')
  const third = runs.run('a')
  const other = runs.run('b')
  await Promise.resolve()
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b'])
  begun[0]!.end.reject(new Error('lost'))
  await expect(first).rejects.toThrow('lost')
  begun[1]!.end.resolve(1)
  expect(await other).toBe(1)
  await Promise.resolve()
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b', 'a'])
  begun[2]!.end.resolve(2)
  expect(await Promise.all([second, third])).toEqual([2, 2])
})
