import { openPostgres } from '@chart/postgres'
import { closeRedis, openRedis } from '@chart/redis'
import { expect, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { LocalService } from '../src/local-service.ts'
import { storedBars } from '../src/oracle.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const MINUTE_MS = 60_000
/** The exchange's clock runs this many times as fast as ours, so that minutes close every few seconds. */
const SPEED = 10

test('a Redis that is emptied gets everything again from the stored bars and the exchange: no bar is missing, none less complete than before', async () => {
  await using service = await LocalService.start({
    SYMBOLS: SYMBOLS.join(),
    TRADES_PER_SECOND: '15',
    START_TIME: String(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS),
    SPEED: String(SPEED),
  })
  const { databaseUrl, binanceApiUrl, redisUrl } = service.run
  await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'e2e' })
  const redis = await openRedis(redisUrl, 'e2e')
  const newest = async (symbol: string) => (await storedBars(postgres, symbol, '1m')).at(-1)?.openTime ?? 0
  const goesOn = async (after: string) => {
    const before = await Promise.all(SYMBOLS.map(newest))
    await service.until(`bars of each symbol are stored after ${after}`, async () => {
      const now = await Promise.all(SYMBOLS.map(newest))
      return now.every((openTime, index) => openTime > before[index]! + MINUTE_MS)
    })
  }

  await goesOn('the start')
  for (const turn of ['first', 'second', 'third']) {
    await redis.flushall()
    await goesOn(`the ${turn} emptying`)
  }
  closeRedis(redis)

  const { serverTime } = (await (await fetch(`${binanceApiUrl}/api/v3/time`)).json()) as { serverTime: number }
  const untilTime = Math.floor(serverTime / MINUTE_MS) * MINUTE_MS
  const compare = () => compareWithOracle(postgres, binanceApiUrl, SYMBOLS, ['1m', '5m'], untilTime)
  await service.until('the last bars are stored', async () => (await compare()).missing.length === 0)
  const { compared, incomplete, ...wrong } = await compare()
  expect(wrong).toEqual({ missing: [], surplus: [], differing: [] })
  // Only the 5m bar in which the service was started may say that it is not whole.
  expect(incomplete.filter(name => !name.includes(' 5m '))).toEqual([])
  expect(incomplete.length).toBeLessThanOrEqual(SYMBOLS.length)
  expect(compared).toBeGreaterThan(6 * SYMBOLS.length)
})
