const MINUTE_MS = 60_000

/** The bar of a minute as one would keep it first: in doubles. */
export interface DoubleBar {
  openTime: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  quote: number
  taker: number
  count: number
}

/** The bar after one trade more. @param fields those of `fillStream` */
export function withTrade(
  bar: DoubleBar | undefined,
  [, time, , priceText, , quantityText, , side]: string[],
): DoubleBar {
  const openTime = Number(time) - (Number(time) % MINUTE_MS)
  const price = Number(priceText)
  const quantity = Number(quantityText)
  const same = bar?.openTime === openTime ? bar : undefined
  return {
    openTime,
    open: same?.open ?? price,
    high: Math.max(same?.high ?? price, price),
    low: Math.min(same?.low ?? price, price),
    close: price,
    volume: (same?.volume ?? 0) + quantity,
    quote: (same?.quote ?? 0) + price * quantity,
    taker: (same?.taker ?? 0) + (side === 'b' ? quantity : 0),
    count: (same?.count ?? 0) + 1,
  }
}
