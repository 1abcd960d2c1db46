import type { BarText } from '@chart/market'

/** A minute of BTCUSDT, with what a test cares about put in its place. */
export function barText(over: Partial<BarText> = {}): BarText {
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime: 1_723_118_400_000,
    closeTime: 1_723_118_459_999,
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
