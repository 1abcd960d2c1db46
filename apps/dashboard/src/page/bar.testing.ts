import type { BarText } from '@chart/market'

/** A bar for tests: one minute, closed, of ten trades, with `fields` instead of its own. */
export function barText(openTime: number, fields: Partial<BarText> = {}): BarText {
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + 59_999,
    open: '100.00000000',
    high: '110.00000000',
    low: '90.00000000',
    close: '105.00000000',
    baseVolume: '12.50000000',
    quoteVolume: '1250.00000000',
    takerBuyBaseVolume: '5.00000000',
    takerBuyQuoteVolume: '500.00000000',
    tradeCount: 10,
    firstTradeId: 1,
    lastTradeId: 10,
    state: 'closed',
    revision: 0,
    complete: true,
    ...fields,
  }
}
