import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '@chart/postgres'
import { expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'
import { closedOracleBars, provable, storedBars } from '../src/oracle.ts'

const SYMBOL = 'ETHBTC'
const SECOND_MS = 1_000
/** Bars of a second are stored as well, so that no minute of the wall's clock has to be waited for. */
const ENV = {
  SYMBOLS: SYMBOL,
  TRADES_PER_SECOND: '20',
  INTERVALS: '1s,1m',
  PERSISTED_INTERVALS: '1s,1m',
}

test('after Ctrl-C no process is left, and the next start goes on with the same data, without a gap for the time between', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chart-e2e-'))
  try {
    const stoppedTime = await startAndStop(dataDir)
    await using service = await LocalService.start(ENV, dataDir)
    const startedTime = Date.now()
    const { databaseUrl, binanceApiUrl } = service.run
    await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'e2e' })
    const stored = () => storedBars(postgres, SYMBOL, '1s')
    await service.until('a bar after the second start is stored', async () =>
      (await stored()).some(bar => bar.openTime > startedTime),
    )
    const bars = await stored()
    const range = { from: bars[0]!.openTime, to: bars.at(-1)!.openTime + SECOND_MS }
    expect(range.from).toBeLessThan(stoppedTime)
    const oracle = await closedOracleBars(binanceApiUrl, SYMBOL, '1s', range)
    expect(bars.map(provable)).toEqual(oracle.map(provable))
    expect(bars.map(bar => bar.openTime)).toEqual(bars.map((_, index) => range.from + index * SECOND_MS))
    expect(bars.every(bar => bar.complete)).toBe(true)
    expect(await service.interrupt()).toEqual({ status: 0, left: [] })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

/** A first run, until it has stored bars. Gives the time of its end, at which no process was left. */
async function startAndStop(dataDir: string): Promise<number> {
  await using service = await LocalService.start(ENV, dataDir)
  await using postgres = await openPostgres({ url: service.run.databaseUrl, applicationName: 'e2e' })
  await service.until('the first bars are stored', async () => (await storedBars(postgres, SYMBOL, '1s')).length > 2)
  const stoppedTime = Date.now()
  expect(await service.interrupt()).toEqual({ status: 0, left: [] })
  return stoppedTime
}
