import { recordedLines, recordedText } from '@chart/testkit'
import { parseDecimal } from './decimal.ts'
import type { Trade } from './trade.ts'

/** A recorded trade with the exchange's own product of price and quantity, where the recording has it. */
export interface RecordedTrade {
  readonly trade: Trade
  readonly quoteQuantity: string | undefined
}

/** 9,738 raw frames of BTCUSDT, 2024-08-08 23:54:15 to 23:59:59. */
export function recordedFrames(): RecordedTrade[] {
  return recordedLines('hftbacktest-btcusdt-trade-20240808T2354.raw.gz').map(line => {
    const { t, T, p, q, m } = JSON.parse(line.slice(line.indexOf(' '))).data
    return { trade: tradeOf(t, T, p, q, m), quoteQuantity: undefined }
  })
}

/** 40,003 rows of BTCUSDT, 2026-02-03 00:00 to 00:10. In the file some blocks of 88 rows stand in the wrong place. */
export function recordedRows(): RecordedTrade[] {
  return recordedLines('alexpaturov-BTCUSDT-trades-20260203T0000.csv.gz')
    .slice(1)
    .map(line => {
      const [id, , price, quantity, quoteQuantity, time, maker] = line.split(',')
      return { trade: tradeOf(Number(id), Number(time), price!, quantity!, maker === 't'), quoteQuantity }
    })
    .sort((a, b) => a.trade.tradeId - b.trade.tradeId)
}

/** 1,000 trades of ETHBTC as REST gave them, whose products need ten decimals and have eight. */
export function recordedEthBtc(): RecordedTrade[] {
  return JSON.parse(recordedText('gct-rest-trades-ETHBTC-1000-20230320.json.gz')).map(
    (row: { id: number; time: number; price: string; qty: string; quoteQty: string; isBuyerMaker: boolean }) => ({
      trade: tradeOf(row.id, row.time, row.price, row.qty, row.isBuyerMaker),
      quoteQuantity: row.quoteQty,
    }),
  )
}

function tradeOf(tradeId: number, tradeTime: number, price: string, quantity: string, buyerIsMaker: boolean): Trade {
  return {
    tradeId,
    tradeTime,
    price: parseDecimal(price, 8),
    quantity: parseDecimal(quantity, 8),
    takerSide: buyerIsMaker ? 'sell' : 'buy',
  }
}

/** The rows of a CSV with a line of names, by their first column. */
export function recordedTable(name: string): Map<number, string[]> {
  return new Map(
    recordedLines(name)
      .slice(1)
      .map(line => line.split(','))
      .map(fields => [Number(fields[name.includes('PEER') ? 1 : 0]), fields]),
  )
}
