/**
 * Trades of an invented market, as the exchange's frames and REST answers. Price and quantity follow from symbol and id alone, and times
 * are kept, so that a trade is told by REST as it was in its frame.
 */

/** Symbols take turns, in a fixed order that is none by name. */
const STRIDE = 7_919
const PRICES = 1_000

export interface MadeFrames {
  /** Index of the symbol. */
  readonly symbol: number
  /** WebSocket frames, one after another. */
  readonly frames: Buffer
}

export class MadeMarket {
  readonly #symbols: readonly string[]
  readonly #indexes: ReadonlyMap<string, number>
  /** Trade times of each symbol; its trades have the ids 1, 2, 3, … */
  readonly #times: number[][]
  #next = 0

  constructor(symbols: readonly string[]) {
    this.#symbols = symbols
    this.#indexes = new Map(symbols.map((symbol, index) => [symbol, index]))
    // Every symbol has traded already: a log begins after a trade.
    this.#times = symbols.map(() => [Date.now()])
  }

  indexOf(symbol: string): number | undefined {
    return this.#indexes.get(symbol)
  }

  /** The next `count` trades of the market, all at `time`. */
  make(count: number, time: number): MadeFrames[] {
    const texts = new Map<number, string[]>()
    for (let index = 0; index < count; index++) {
      const symbol = (this.#next++ * STRIDE) % this.#symbols.length
      const times = this.#times[symbol]!
      times.push(time)
      const text = this.#frameText(symbol, times.length, time)
      const of = texts.get(symbol)
      if (of === undefined) texts.set(symbol, [text])
      else of.push(text)
    }
    return [...texts].map(([symbol, of]) => ({ symbol, frames: framesOf(of) }))
  }

  /** What every connection hears each second. */
  pulse(time: number): Buffer {
    return framesOf([`{"stream":"btcusdt@kline_1s","data":{"e":"kline","E":${time},"s":"BTCUSDT","k":{}}}`])
  }

  /** What REST says; undefined for what is not there. */
  answer(path: string, query: URLSearchParams): unknown {
    switch (path) {
      case '/api/v3/time':
        return { serverTime: Date.now() }
      case '/api/v3/exchangeInfo':
        return { symbols: this.#asked(query).map(infoOf) }
      case '/api/v3/ticker/24hr':
        return this.#asked(query).map(symbol => this.#statistic(symbol))
      case '/api/v3/trades':
        return this.#rows(query, Number.MAX_SAFE_INTEGER)
      case '/api/v3/historicalTrades':
        return this.#rows(query, Number(query.get('fromId')))
      case '/api/v3/aggTrades':
        return this.#spans(query)
      default:
        return undefined
    }
  }

  #statistic(symbol: string): unknown {
    const count = this.#timesOf(symbol).length
    return { symbol, firstId: 1, lastId: count, count, closeTime: Date.now() }
  }

  #asked(query: URLSearchParams): readonly string[] {
    const names = query.get('symbols')
    const one = query.get('symbol')
    if (one !== null) return [one]
    return names === null ? this.#symbols : (JSON.parse(names) as string[])
  }

  #timesOf(symbol: string): readonly number[] {
    return this.#times[this.#indexes.get(symbol)!]!
  }

  #rows(query: URLSearchParams, fromId: number): unknown[] {
    const symbol = query.get('symbol')!
    const limit = Number(query.get('limit'))
    const times = this.#timesOf(symbol)
    const first = Math.max(1, Math.min(fromId, times.length - limit + 1))
    const index = this.#indexes.get(symbol)!
    return times.slice(first - 1, first - 1 + limit).map((time, at) => {
      const id = first + at
      return { id, price: priceText(id), qty: quantityText(index, id), time, isBuyerMaker: isBuyerMaker(id) }
    })
  }

  /** Each trade is its own aggregate. */
  #spans(query: URLSearchParams): unknown[] {
    const times = this.#timesOf(query.get('symbol')!)
    const since = Number(query.get('startTime') ?? 0)
    const from = query.has('fromId') ? Number(query.get('fromId')) - 1 : times.findIndex(time => time >= since)
    if (from < 0) return []
    return times.slice(from, from + Number(query.get('limit'))).map((_, at) => {
      const id = from + at + 1
      return { a: id, f: id, l: id }
    })
  }

  #frameText(symbol: number, id: number, time: number): string {
    const name = this.#symbols[symbol]!
    return `{"stream":"${name.toLowerCase()}@trade","data":{"e":"trade","E":${time},"s":"${name}","t":${id},"p":"${priceText(id)}","q":"${quantityText(symbol, id)}","T":${time},"m":${isBuyerMaker(id)},"M":true}}`
  }
}

function infoOf(symbol: string): unknown {
  return {
    symbol,
    status: 'TRADING',
    baseAsset: symbol.slice(0, -4),
    quoteAsset: 'USDT',
    quoteAssetPrecision: 8,
    simulated: true,
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.01000000' },
      { filterType: 'LOT_SIZE', stepSize: '0.00001000' },
    ],
  }
}

function priceText(id: number): string {
  const cents = (id * STRIDE) % PRICES
  return `${61_800 + Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}000000`
}

function quantityText(symbol: number, id: number): string {
  return `0.0${String(((id * 31 + symbol) % 9_000) + 1_000)}000`
}

function isBuyerMaker(id: number): boolean {
  return id % 3 === 0
}

const TEXT_FRAME = 0x81
const LENGTH_16_BITS = 126

/** Texts of 126 to 65,535 bytes, or shorter, as unmasked WebSocket text frames. */
function framesOf(texts: readonly string[]): Buffer {
  const size = texts.reduce((sum, text) => sum + text.length + (text.length < LENGTH_16_BITS ? 2 : 4), 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const text of texts) {
    bytes[at++] = TEXT_FRAME
    if (text.length < LENGTH_16_BITS) bytes[at++] = text.length
    else {
      bytes[at++] = LENGTH_16_BITS
      at = bytes.writeUInt16BE(text.length, at)
    }
    at += bytes.write(text, at, 'latin1')
  }
  return bytes
}
