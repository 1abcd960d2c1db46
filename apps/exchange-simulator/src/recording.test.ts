import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEEDS_RECORDINGS, RECORDINGS, recordedFile, recordedRows } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { oracleBars } from './oracle.ts'
import { createRecordedMarket } from './recorded-market.ts'
import { readRecording } from './recording.ts'
import { Tape } from './tape.ts'

async function tapeOf(path: string, symbol: string): Promise<{ tape: Tape; startTime: number }> {
  const market = createRecordedMarket(await readRecording(path, symbol))
  return { tape: new Tape(market.histories.get(symbol)!, market.endTime + 60_000), startTime: market.startTime }
}

describe.skipIf(RECORDINGS === undefined)(`recordings${NEEDS_RECORDINGS}`, () => {
  for (const [file, expected] of [
    ['hftbacktest-btcusdt-trade-20240808T2354.raw.gz', 'expected-1m-hftbacktest-btcusdt-20240808T2354.csv'],
    ['alexpaturov-BTCUSDT-trades-20260203T0000.csv.gz', 'expected-1m-alexpaturov-BTCUSDT-20260203T0000.csv'],
  ] as const) {
    test(`${file}: the oracle's minutes are the expected ones`, async () => {
      const { tape, startTime } = await tapeOf(recordedFile(file), 'BTCUSDT')
      const bars = await oracleBars(tape, startTime, { interval: '1m' })
      const rows = recordedRows(expected)
      expect(bars.slice(0, rows.length).map(bar => [bar.openTime, bar.open, bar.high, bar.low, bar.close])).toEqual(
        rows.map(row => [Number(row.open_time), row.open, row.high, row.low, row.close]),
      )
      for (const [index, row] of rows.entries()) {
        expect(bars[index]).toMatchObject({
          baseVolume: row.volume,
          quoteVolume: row.quote_volume,
          tradeCount: Number(row.trades),
          takerBuyBaseVolume: row.taker_buy_base,
          takerBuyQuoteVolume: row.taker_buy_quote,
          firstTradeId: Number(row.first_trade_id),
          lastTradeId: Number(row.last_trade_id),
        })
      }
    })
  }

  test('frames of other kinds between the trades are passed over', async () => {
    const recording = await readRecording(recordedFile('hftbacktest-btcusdt-mixed-streams-head3000.raw.gz'))
    const trades = recording.get('BTCUSDT')!
    expect(trades[0]!.tradeId).toBe(3735683259)
    expect(trades.every((trade, index) => trade.tradeId === 3735683259 + index)).toBe(true)
  })
})

describe('a recording in a file of its own', () => {
  async function read(content: string, symbol?: string) {
    const folder = await mkdtemp(join(tmpdir(), 'recording-'))
    try {
      await writeFile(join(folder, 'ADABNB-trades-2019.csv'), content)
      return await readRecording(join(folder, 'ADABNB-trades-2019.csv'), symbol)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  test('may be an archive CSV without header, in microseconds, its symbol from the file name', async () => {
    const recording = await read('12,0.00224,4458,9.98592,1564502620356123,True,True\n')
    expect(recording.get('ADABNB')).toMatchObject([
      {
        tradeId: 12,
        price: '0.00224000',
        quantity: '4458.00000000',
        tradeTime: 1564502620356,
        eventTime: 1564502620356,
        buyerIsMaker: true,
      },
    ])
  })

  test('may be bare frames; ids come back in order and once', async () => {
    const frame = (id: number) =>
      `{"e":"trade","E":1564502620400,"s":"ADABNB","t":${id},"p":"0.1","q":"1","T":1564502620356,"m":false}`
    const recording = await read([frame(8), frame(7), frame(8)].join('\n'))
    expect(recording.get('ADABNB')!.map(trade => trade.tradeId)).toEqual([7, 8])
  })

  test('that has nothing of the wanted symbol is refused', async () => {
    await expect(
      read('12,0.00224,4458,9.98592,1564502620356,true,true\n', 'BTCUSDT').then(r => [...r.keys()]),
    ).resolves.toEqual(['BTCUSDT'])
    await expect(read('id,symbol,price,qty,time,isBuyerMaker\n1,ADABNB,1,1,1,t\n', 'BTCUSDT')).rejects.toThrow(
      'no trades of BTCUSDT',
    )
  })
})
