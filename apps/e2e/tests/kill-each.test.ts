import { openPostgres } from '@chart/postgres'
import { expect, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { LocalService } from '../src/local-service.ts'
import { storedBars } from '../src/oracle.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const MINUTE_MS = 60_000
/** The exchange's clock runs this many times as fast as ours, so that minutes close every few seconds. */
const SPEED = 10

test('whichever process is killed, it is started again, and every bar of the run is stored once and equals the oracle', async () => {
  const startTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
  await using service = await LocalService.start({
    SYMBOLS: SYMBOLS.join(),
    TRADES_PER_SECOND: '15',
    START_TIME: String(startTime),
    SPEED: String(SPEED),
  })
  const { databaseUrl, binanceApiUrl } = service.run
  await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'e2e' })
  const newest = async (symbol: string) => (await storedBars(postgres, symbol, '1m')).at(-1)?.openTime ?? 0
  const goesOn = async (after: string) => {
    const before = await Promise.all(SYMBOLS.map(newest))
    await service.until(`a bar of each symbol is stored after ${after}`, async () => {
      const now = await Promise.all(SYMBOLS.map(newest))
      return now.every((openTime, index) => openTime > before[index]!)
    })
  }

  await goesOn('the start')
  for (const name of ['ingestor-1', 'ingestor-2', 'aggregator-1', 'aggregator-2', 'persister', 'auditor', 'edge']) {
    await service.killAndAwaitNext(name)
    await goesOn(`${name} was killed`)
  }

  const status = (await (await fetch(`${binanceApiUrl}/api/v3/time`)).json()) as { serverTime: number }
  const untilTime = Math.floor(status.serverTime / MINUTE_MS) * MINUTE_MS
  const compare = () => compareWithOracle(postgres, binanceApiUrl, SYMBOLS, ['1m', '5m'], untilTime)
  await service.until('the last bars are stored', async () => (await compare()).missing.length === 0)
  const { compared, incomplete, ...wrong } = await compare()
  // Only the 5m bar in which the service was started may say that it is not whole.
  expect(incomplete.filter(name => !name.includes(' 5m '))).toEqual([])
  expect(incomplete.length).toBeLessThanOrEqual(SYMBOLS.length)
  expect(wrong).toMatchObject({ missing: [], surplus: [], differing: [] })
  expect(compared).toBeGreaterThan(6 * SYMBOLS.length)
  expect(await service.interrupt()).toEqual({ status: 0, left: [] })
})
