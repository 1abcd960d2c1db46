import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '@chart/postgres'
import { expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'
import { closedOracleBars, provable, storedBars } from '../src/oracle.ts'

test('after Ctrl-C no process is left, and the next start goes on with the same data, without a gap for the time between', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chart-e2e-'))
  const env = { SYMBOLS: 'ETHBTC', TRADES_PER_SECOND: '20', GRPC_PORT: '' }
  try {
    let firstRows: number
    {
      await using service = await LocalService.start(env, dataDir)
      await using postgres = await openPostgres({ url: service.run.databaseUrl, applicationName: 'e2e' })
      await service.until(
        'the first bar is stored',
        async () => (await storedBars(postgres, 'ETHBTC', '1m')).length > 0,
        120_000,
      )
      firstRows = (await storedBars(postgres, 'ETHBTC', '1m')).length
      expect(await service.interrupt()).toEqual({ status: 0, left: [] })
    }
    await using service = await LocalService.start(env, dataDir)
    const { databaseUrl, binanceApiUrl } = service.run
    await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'e2e' })
    await service.until(
      'the next bar is stored',
      async () => (await storedBars(postgres, 'ETHBTC', '1m')).length > firstRows,
      120_000,
    )
    const stored = await storedBars(postgres, 'ETHBTC', '1m')
    const oracle = (await closedOracleBars(binanceApiUrl, 'ETHBTC', '1m')).filter(
      bar => bar.openTime >= stored[0]!.openTime && bar.openTime <= stored.at(-1)!.openTime,
    )
    expect(stored.map(provable)).toEqual(oracle.map(provable))
    expect(stored.every(bar => bar.complete)).toBe(true)
    expect(await service.interrupt()).toEqual({ status: 0, left: [] })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
