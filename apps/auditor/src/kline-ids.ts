import type { StreamKline, TradeIds } from '@chart/binance'

/** Minutes remembered of a symbol. They are compared within seconds of their end; later ones are compared without ids. */
const KEPT_MINUTES = 5

/** First and last trade id of the newest closed 1m bars, as the exchange's stream told them; its REST leaves them out. */
export class KlineIds {
  readonly #bySymbol = new Map<string, Map<number, TradeIds>>()

  add({ symbol, openTime, firstTradeId, lastTradeId }: StreamKline): void {
    const minutes = this.#bySymbol.get(symbol) ?? new Map<number, TradeIds>()
    this.#bySymbol.set(symbol, minutes)
    minutes.delete(openTime)
    minutes.set(openTime, { firstTradeId, lastTradeId })
    if (minutes.size > KEPT_MINUTES) minutes.delete(minutes.keys().next().value!)
  }

  of(symbol: string, interval: string, openTime: number): TradeIds | undefined {
    return interval === '1m' ? this.#bySymbol.get(symbol)?.get(openTime) : undefined
  }
}
