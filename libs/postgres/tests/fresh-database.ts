import type { BarText } from '@chart/market'
import { Client } from 'pg'
import { openPostgres, type Postgres } from '../src/index.ts'

let databases = 0

/** An empty database on the server, so that tests do not see each other's rows. */
export async function freshDatabase(serverUrl: string): Promise<string> {
  const name = `test_${process.pid}_${databases++}`
  const admin = new Client({ connectionString: serverUrl })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

export function openTest(url: string): Promise<Postgres> {
  return openPostgres({ url, applicationName: 'test' })
}

export const MINUTE = 60_000
export const AUGUST = Date.UTC(2024, 7, 8, 12)

/** A closed minute of BTCUSDT, with what a test cares about put in its place. */
export function bar(over: Partial<BarText> = {}): BarText {
  const openTime = over.openTime ?? AUGUST
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE - 1,
    open: '61837.63000000',
    high: '61900.00000000',
    low: '61800.00000000',
    close: '61850.10000000',
    baseVolume: '12.34500000',
    quoteVolume: '763456.12345678',
    takerBuyBaseVolume: '6.10000000',
    takerBuyQuoteVolume: '377000.00000000',
    tradeCount: 101,
    firstTradeId: 3_700_000_000,
    lastTradeId: 3_700_000_100,
    state: 'closed',
    revision: 0,
    complete: true,
    ...over,
  }
}
