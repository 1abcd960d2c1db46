import { type BarText, intervalOf } from '@chart/market'
import type { Kline } from './rest-message.ts'

/** Fields of a bar that the exchange's own bar has too; the ids only when it came by stream. */
export const AUDITED_FIELDS = [
  'open',
  'high',
  'low',
  'close',
  'baseVolume',
  'quoteVolume',
  'tradeCount',
  'takerBuyBaseVolume',
  'takerBuyQuoteVolume',
  'firstTradeId',
  'lastTradeId',
] as const

export type AuditedField = (typeof AUDITED_FIELDS)[number]

/** One field in which a bar and the exchange's own are not the same, with both values as they are written. */
export interface FieldDifference {
  readonly field: AuditedField
  readonly ours: string
  readonly theirs: string
}

/** First and last trade id of a bar, −1 when it has no trades. */
export interface TradeIds {
  readonly firstTradeId: number
  readonly lastTradeId: number
}

/**
 * The fields in which `bar` differs from the exchange's kline of the same time, in the order of AUDITED_FIELDS. Decimals are compared by
 * value: the exchange writes eight places, a symbol may have fewer. REST's klines have no trade ids; where they are known from
 * elsewhere they are compared as well, except with an imported bar, which has none.
 */
export function differencesOf(bar: BarText, kline: Kline, ids?: TradeIds): FieldDifference[] {
  const differences: FieldDifference[] = []
  const theirs: Partial<Record<AuditedField, string | number>> = { ...kline, ...(bar.proof !== 'imported' && ids) }
  for (const field of AUDITED_FIELDS) {
    const wanted = theirs[field]
    if (wanted === undefined || isSame(bar[field], wanted)) continue
    differences.push({ field, ours: String(bar[field]), theirs: String(wanted) })
  }
  return differences
}

function isSame(ours: string | number, theirs: string | number): boolean {
  return ours === theirs || canonical(String(ours)) === canonical(String(theirs))
}

/** `0061837.6300` → `61837.63`, `5.000` → `5`. */
function canonical(decimal: string): string {
  const [whole = '', fraction = ''] = decimal.split('.')
  const digits = fraction.replace(/0+$/, '')
  const integer = whole.replace(/^0+(?=\d)/, '')
  return digits === '' ? integer : `${integer}.${digits}`
}

/** The exchange's kline as a closed bar, of which nothing is known but its numbers. */
export function barOfKline(symbol: string, interval: string, kline: Kline): BarText {
  return {
    symbol,
    interval,
    openTime: kline.openTime,
    closeTime: kline.openTime + intervalOf(interval).intervalMs - 1,
    open: kline.open,
    high: kline.high,
    low: kline.low,
    close: kline.close,
    baseVolume: kline.baseVolume,
    quoteVolume: kline.quoteVolume,
    takerBuyBaseVolume: kline.takerBuyBaseVolume,
    takerBuyQuoteVolume: kline.takerBuyQuoteVolume,
    tradeCount: kline.tradeCount,
    firstTradeId: -1,
    lastTradeId: -1,
    state: 'closed',
    revision: 0,
    complete: false,
    proof: 'imported',
  }
}
