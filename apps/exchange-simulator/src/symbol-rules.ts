import { chance, hashText } from './random.ts'

/** What exchangeInfo says of a symbol, and around which price and size a seeded market trades it. */
export interface SymbolRules {
  readonly symbol: string
  readonly baseAsset: string
  readonly quoteAsset: string
  /** Tick size is 10^-priceDecimals, step size 10^-quantityDecimals. */
  readonly priceDecimals: number
  readonly quantityDecimals: number
  readonly startPrice: number
}

/** [start price, price decimals, quantity decimals], about as the exchange had them in 2024. */
const known: Readonly<Record<string, readonly [number, number, number]>> = {
  BTCUSDT: [60_000, 2, 5],
  ETHUSDT: [3_000, 2, 4],
  BNBUSDT: [600, 2, 3],
  SOLUSDT: [150, 2, 3],
  XRPUSDT: [0.6, 4, 0],
  DOGEUSDT: [0.15, 5, 0],
  ADAUSDT: [0.45, 4, 1],
  TRXUSDT: [0.12, 4, 1],
  AVAXUSDT: [30, 2, 2],
  LINKUSDT: [14, 2, 2],
  LTCUSDT: [80, 2, 3],
  PEPEUSDT: [0.00001, 8, 0],
  SHIBUSDT: [0.00002, 8, 0],
  // Tick and step decimals add up to 9 here: the quote volume must be cut off trade by trade.
  ETHBTC: [0.05, 5, 4],
  LTCBTC: [0.0012, 6, 3],
  LINKBTC: [0.00022, 8, 2],
}

const quoteAssets = ['FDUSD', 'USDT', 'USDC', 'TUSD', 'BUSD', 'EUR', 'TRY', 'BRL', 'JPY', 'BTC', 'ETH', 'BNB']

/** BTCUSDT as [BTC, USDT]; a symbol of no known quote asset is cut before its last three letters. */
export function assetsOf(symbol: string): [base: string, quote: string] {
  const quote = quoteAssets.find(asset => symbol.endsWith(asset) && symbol.length > asset.length) ?? symbol.slice(-3)
  return [symbol.slice(0, -quote.length) || symbol, quote]
}

/** The rules of a symbol; one that is not in the table gets a price of its own by its name, with five digits of tick. */
export function rulesOf(symbol: string): SymbolRules {
  const [baseAsset, quoteAsset] = assetsOf(symbol)
  const row = known[symbol]
  if (row) {
    const [startPrice, priceDecimals, quantityDecimals] = row
    return { symbol, baseAsset, quoteAsset, startPrice, priceDecimals, quantityDecimals }
  }
  const startPrice = 10 ** (6 * chance(hashText(symbol), 1, 2) - 3)
  const magnitude = Math.floor(Math.log10(startPrice))
  const priceDecimals = Math.min(8, Math.max(0, 4 - magnitude))
  const quantityDecimals = Math.min(5, Math.max(0, magnitude + 2))
  return { symbol, baseAsset, quoteAsset, startPrice, priceDecimals, quantityDecimals }
}
