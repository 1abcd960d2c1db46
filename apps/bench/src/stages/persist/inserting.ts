import type { BarText } from '@chart/market'
import { Pool } from 'pg'
import type { RowWriter } from './writers.ts'

export const COLUMNS = [
  ...['symbol', 'interval', 'open_time', 'open', 'high', 'low', 'close', 'base_volume', 'quote_volume'],
  ...['taker_buy_base_volume', 'taker_buy_quote_volume', 'trade_count', 'first_trade_id', 'last_trade_id'],
  ...['revision', 'complete', 'state'],
] as const

const KEY = ['symbol', 'interval', 'open_time']

const INSERT = `
  INSERT INTO bars AS known (${COLUMNS.join()}) VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join()})
  ON CONFLICT (${KEY.join()}) DO UPDATE SET
    ${COLUMNS.filter(name => !KEY.includes(name))
      .map(name => `${name} = excluded.${name}`)
      .join()}
  WHERE known.last_trade_id < excluded.last_trade_id`

/** What one would write first: a prepared INSERT … ON CONFLICT for each bar, `connections` of them under way at once. */
export async function openInserting(url: string, connections: number): Promise<RowWriter> {
  const pool = new Pool({ connectionString: url, max: connections, application_name: `inserting-${connections}` })
  return {
    table: 'bars',
    async write(bars) {
      let next = 0
      const insertRest = async () => {
        for (let bar = bars[next++]; bar !== undefined; bar = bars[next++]) {
          await pool.query({ name: 'insert-bar', text: INSERT, values: valuesOf(bar) })
        }
      }
      await Promise.all(Array.from({ length: connections }, insertRest))
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

/** In the order of COLUMNS. */
export function valuesOf(bar: BarText): unknown[] {
  return [
    ...[bar.symbol, bar.interval, new Date(bar.openTime).toISOString(), bar.open, bar.high, bar.low, bar.close],
    ...[bar.baseVolume, bar.quoteVolume, bar.takerBuyBaseVolume, bar.takerBuyQuoteVolume],
    ...[bar.tradeCount, bar.firstTradeId, bar.lastTradeId, bar.revision, bar.complete, bar.state],
  ]
}
