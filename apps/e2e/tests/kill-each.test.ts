import { openPostgres } from '@chart/postgres'
import { expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'
import { closedOracleBars, provable, storedBars } from '../src/oracle.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const MINUTE_MS = 60_000
/** The exchange's clock runs this many times as fast as ours, so that minutes close every few seconds. */
const SPEED = 10

test('whichever process is killed, it is started again, and every bar of the run is stored once and equals the oracle', async () => {
  const startTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
  await using service = await LocalService.start({
    SYMBOLS: SYMBOLS.join(),
    TRADES_PER_SECOND: '60',
    START_TIME: String(startTime),
    SPEED: String(SPEED),
    GRPC_PORT: '',
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
  for (const name of ['ingestor-1', 'ingestor-2', 'aggregator-1', 'aggregator-2', 'persister', 'edge']) {
    await service.killAndAwaitNext(name)
    await goesOn(`${name} was killed`)
  }

  for (const symbol of SYMBOLS) {
    for (const interval of ['1m', '5m']) {
      const oracle = await closedOracleBars(binanceApiUrl, symbol, interval)
      const wanted = oracle.at(-1)?.openTime ?? 0
      await service.until(`${symbol} ${interval} is stored up to ${wanted}`, async () => {
        return ((await storedBars(postgres, symbol, interval)).at(-1)?.openTime ?? 0) >= wanted
      })
      const stored = (await storedBars(postgres, symbol, interval)).filter(bar => bar.openTime <= wanted)
      const whole = oracle.filter(bar => bar.openTime >= stored[0]!.openTime)
      const compared = stored.filter(bar => bar.complete).map(provable)
      expect(compared.length, `${symbol} ${interval} has bars to compare`).toBeGreaterThan(interval === '1m' ? 6 : 0)
      expect(
        stored.map(bar => bar.openTime),
        `${symbol} ${interval} has no gap`,
      ).toEqual(whole.map(bar => bar.openTime))
      expect(compared).toEqual(whole.slice(-compared.length).map(provable))
    }
  }
  expect(await service.interrupt()).toEqual({ status: 0, left: [] })
})
