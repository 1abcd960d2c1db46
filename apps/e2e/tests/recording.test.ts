import { barOfMessage, openBarClient, timestampOfTime } from '@chart/grpc'
import { openPostgres } from '@chart/postgres'
import { NEEDS_RECORDINGS, RECORDINGS, recordedFile, recordedRows } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { LocalService } from '../src/local-service.ts'
import { storedBars } from '../src/oracle.ts'

/** When the bar opens that the exchange's own is compared with. */
const BAR_TIME = 1_723_161_300_000

/** The nine numbers of a kline, in the order of the exchange's archive. */
const KLINE = [
  'open',
  'high',
  'low',
  'close',
  'baseVolume',
  'quoteVolume',
  'tradeCount',
  'takerBuyBaseVolume',
  'takerBuyQuoteVolume',
] as const
const EXPECTED = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quote_volume',
  'trades',
  'taker_buy_base',
  'taker_buy_quote',
]

const fieldsOf = (row: object, names: readonly string[]) =>
  names.map(name => String((row as Record<string, unknown>)[name]))

describe.skipIf(RECORDINGS === undefined)(`with recordings of real trades${NEEDS_RECORDINGS}`, () => {
  test('BTCUSDT of 2024-08-08 through the running service equals the exchange’s own 5m kline, stored and over gRPC, with an update for every trade', async () => {
    await using service = await LocalService.start({
      SYMBOLS: 'BTCUSDT',
      RECORDING: recordedFile('hftbacktest-btcusdt-trade-20240808T2354.raw.gz'),
      // The bar has closed 45 s after the ingestor listens; all else has to be ready by then.
      SPEED: '8',
    })
    const { databaseUrl, grpc } = service.run
    const kline = recordedRows('skytree-BTCUSDT-5m-2024-08-08.csv').find(row => row.open_time === '1723161300000')!
    await using postgres = await openPostgres({ url: databaseUrl, applicationName: 'e2e' })
    using client = openBarClient(grpc)

    const stop = new AbortController()
    // With what has closed already, so that one who comes too late fails instead of waiting.
    const request = { symbols: ['BTCUSDT'], intervals: ['5m'], startTime: timestampOfTime(BAR_TIME) }
    const counts: number[] = []
    let first: number | undefined
    let lastClosed: string[] = []
    for await (const { events } of client.streamBars(request, stop.signal)) {
      for (const event of events) {
        if (event.bar === null || event.bar === undefined) continue
        const bar = barOfMessage(event.bar)
        if (bar.openTime !== BAR_TIME) continue
        if (event.type === 'BAR_EVENT_TYPE_SNAPSHOT') first = bar.tradeCount
        if (event.type === 'BAR_EVENT_TYPE_UPDATE') counts.push(bar.tradeCount)
        if (event.type === 'BAR_EVENT_TYPE_CLOSED') {
          lastClosed = fieldsOf(bar, KLINE)
          stop.abort()
        }
      }
    }
    const kFields = fieldsOf(kline, EXPECTED)
    expect(lastClosed).toEqual(kFields)
    // Each trade from the snapshot on, one by one, up to the last of the bar.
    const start = first ?? 0
    expect(counts).toEqual(Array.from({ length: Number(kline.trades) - start }, (_, index) => start + index + 1))

    await service.until('the 5m bar is stored', async () =>
      (await storedBars(postgres, 'BTCUSDT', '5m')).some(bar => bar.openTime === BAR_TIME),
    )
    const five = (await storedBars(postgres, 'BTCUSDT', '5m')).find(bar => bar.openTime === BAR_TIME)!
    expect(fieldsOf(five, KLINE)).toEqual(kFields)
    expect(five).toMatchObject({ complete: true, firstTradeId: 3735684134, lastTradeId: 3735692996 })
    const minutes = recordedRows('expected-1m-hftbacktest-btcusdt-20240808T2354.csv')
    await service.until(
      'all minutes are stored',
      async () => (await storedBars(postgres, 'BTCUSDT', '1m')).length >= minutes.length,
    )
    const stored = await storedBars(postgres, 'BTCUSDT', '1m')
    expect(stored.slice(0, minutes.length).map(bar => [String(bar.openTime), ...fieldsOf(bar, KLINE)])).toEqual(
      minutes.map(row => [row.open_time, ...fieldsOf(row, EXPECTED)]),
    )
    expect(await service.interrupt()).toEqual({ status: 0, left: [] })
  })
})
