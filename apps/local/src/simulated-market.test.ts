import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMarket } from './simulated-market.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'chart-market-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const symbols = ['BTCUSDT', 'ETHUSDT']

test('a later start goes on with the market of the first', async () => {
  const first = await openMarket(dir, { symbols }, 1_700_000_123_456)
  expect(first.genesisTime).toBe(1_700_000_100_000)
  expect(await openMarket(dir, { symbols }, 1_800_000_000_000)).toEqual(first)
})

test('a new market has a past, as long as that is not too many trades', async () => {
  const first = await openMarket(dir, { symbols, pastMinutes: 1_020 }, 1_700_000_123_456)
  expect(first.genesisTime).toBe(1_700_000_100_000 - 1_020 * 60_000)
  expect(await openMarket(dir, { symbols, pastMinutes: 10 })).toEqual(first)
  const busy = await openMarket(
    join(dir, 'busy'),
    { symbols, tradesPerSecond: 1_000, pastMinutes: 1_020 },
    1_700_000_123_456,
  )
  expect(busy.genesisTime).toBe(1_700_000_100_000 - 33 * 60_000)
})

test('another list of symbols leaves the trades of each symbol as they were', async () => {
  const first = await openMarket(dir, { symbols, tradesPerSecond: 100 })
  expect(Object.values(first.rates).reduce((sum, rate) => sum + rate)).toBeCloseTo(100)
  const more = await openMarket(dir, { symbols: ['PEPEUSDT', ...symbols] })
  expect(more.rates).toMatchObject(first.rates)
  expect(more.rates.PEPEUSDT).toBeGreaterThan(0)
  expect(await openMarket(dir, { symbols: ['ETHUSDT'] })).toEqual(more)
})

test('another market is not mixed with the data of the first', async () => {
  await openMarket(dir, { symbols, seed: 7, marketSettings: { LATE_SHARE: '0.1' } })
  await expect(openMarket(dir, { symbols, seed: 8, marketSettings: { LATE_SHARE: '0.1' } })).rejects.toThrow(
    /was begun with SEED=7: set that, or begin another/,
  )
  await expect(openMarket(dir, { symbols, marketSettings: { SPEED: '2' } })).rejects.toThrow(
    /was begun with LATE_SHARE=0.1 and no SPEED:/,
  )
})

test('a damaged file is one clear error', async () => {
  writeFileSync(join(dir, 'market.json'), '{"seed":')
  await expect(openMarket(dir, { symbols })).rejects.toThrow(/market.json cannot be read as a market/)
})
