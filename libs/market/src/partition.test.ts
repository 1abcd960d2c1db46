import { expect, test } from 'vitest'
import { partitionOf, rankMembers } from './partition.ts'

const symbols = Array.from({ length: 2_000 }, (_, index) => `S${(index * 7_919).toString(36).toUpperCase()}USDT`)
const partitions = Array.from({ length: 512 }, (_, index) => `p${index}`)

test('the partition of a symbol is fixed for ever: a change would leave its trades in a log that nobody reads', () => {
  expect(['BTCUSDT', 'ETHUSDT', 'PEPEUSDT', '1000SATSUSDT'].map(symbol => partitionOf(symbol, 32))).toEqual([
    12, 16, 1, 13,
  ])
  expect(partitionOf('', 2 ** 32)).toBe(0x811c9dc5)
  expect(partitionOf('a', 2 ** 32)).toBe(0xe40c292c)
})

test('every partition exists, and symbols spread over all of them', () => {
  const counts = new Map<number, number>()
  for (const symbol of symbols) counts.set(partitionOf(symbol, 32), (counts.get(partitionOf(symbol, 32)) ?? 0) + 1)
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, index) => index))
  expect(Math.max(...counts.values())).toBeLessThan(2 * (symbols.length / 32))
})

test('the order of members does not matter, and all are ranked', () => {
  const members = ['aggregator-0', 'aggregator-1', 'aggregator-2', 'aggregator-10']
  for (const key of partitions) {
    const ranked = rankMembers(key, members)
    expect(rankMembers(key, members.toReversed())).toEqual(ranked)
    expect(ranked.toSorted()).toEqual(members.toSorted())
  }
  expect(rankMembers('p0', [])).toEqual([])
})

test.each([2, 3, 5, 8])(
  '%i members with names that differ in the last letter share the partitions about evenly',
  count => {
    const members = Array.from({ length: count }, (_, index) => `aggregator-${index}`)
    const shares = members.map(member => partitions.filter(key => rankMembers(key, members)[0] === member).length)
    const even = partitions.length / count
    expect(Math.min(...shares)).toBeGreaterThan(0.6 * even)
    expect(Math.max(...shares)).toBeLessThan(1.5 * even)
  },
)

test('a member that joins takes its own share and moves nothing else; when it leaves, all is as before', () => {
  const before = ['a-0', 'a-1', 'a-2']
  const after = [...before, 'a-3']
  let moved = 0
  for (const key of partitions) {
    const [was] = rankMembers(key, before)
    const [is] = rankMembers(key, after)
    if (is === was) continue
    expect(is).toBe('a-3')
    moved++
  }
  expect(moved).toBeGreaterThan(0.15 * partitions.length)
  expect(moved).toBeLessThan(0.35 * partitions.length)
})

test('when the owner leaves, the one that stood by takes over', () => {
  const members = ['a-0', 'a-1', 'a-2', 'a-3']
  for (const key of partitions) {
    const [owner, standby] = rankMembers(key, members)
    expect(
      rankMembers(
        key,
        members.filter(member => member !== owner),
      )[0],
    ).toBe(standby)
  }
})
