import { bigintOf, DecimalError, EXCHANGE_SCALES, isSymbol, parseDecimal, type Trade, tradeFault } from '@chart/market'

/**
 * What one frame of a Binance stream says. The one place where the exchange's names end: everything behind it speaks of trades.
 *
 * ```
 * {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,
 *   "p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}
 * ```
 * E event time, s symbol, t trade id, p price, q quantity, T trade time, m the buyer is the maker, M means nothing any more.
 * Raw endpoints send the same without the envelope; recordings from before 2024-06-18 also carry b and a, the order ids.
 */
export type FeedMessage =
  | { kind: 'trade'; symbol: string; trade: Trade; eventTime: number }
  /** Any other message with an event time E (klines, depth, aggTrade): proof of how far the exchange's clock has come. */
  | { kind: 'pulse'; eventTime: number }
  /** To a SUBSCRIBE of ours. An error comes as `{"code":2,"msg":"…","id":1}` or `{"error":{"code":2,"msg":"…"},"id":1}`. */
  | { kind: 'answer'; id: number | string | null; error?: { code: number; msg: string } }
  /** This connection will end soon: `{"e":"serverShutdown","E":…}`, in the combined stream as "!serverShutdown". */
  | { kind: 'shutdown' }
  /** Well formed, with no event time, not asked for (bookTicker has no `e` and no `E`). */
  | { kind: 'other' }
  /** Not JSON, a field of the wrong type, or an absurd value. */
  | { kind: 'malformed'; reason: string }

/** A payload that is not what the exchange documents. */
export class MalformedMessageError extends Error {
  override name = 'MalformedMessageError'
}

/** Longest text of a price or quantity. The longest real ones have 22 characters; BigInt of a megabyte of digits takes seconds. */
const DECIMAL_LENGTH_MAX = 40

/**
 * How far trade time and event time of one message may differ. 220 ms is the most that was recorded; an hour apart one of the
 * two is wrong, and either one would close or open bars. Such a trade comes again by REST, without the event time.
 */
const TRADE_TO_EVENT_MAX_MS = 3_600_000

/**
 * The meaning of one frame; never throws. Bytes of a trade in the exchange's usual form are read without JSON.parse, which is
 * more than twice as fast (stage `feed` of the benchmark); every key, digit and bracket is checked on the way, and anything unexpected,
 * also a text instead of bytes, takes the way through JSON.parse, with the same answer.
 */
export function feedMessageOf(frame: Buffer | string): FeedMessage {
  if (typeof frame === 'string') return parsedMessageOf(frame)
  return tradeMessageOfBytes(frame) ?? parsedMessageOf(frame.toString('utf8'))
}

/**
 * A row of /api/v3/historicalTrades or /api/v3/trades:
 * `{"id":6193332822,"price":"67774.00000000","qty":"0.00008000","quoteQty":"5.42192000","time":1775571561875,"isBuyerMaker":false,
 * "isBestMatch":true}`.
 *
 * Undefined for a row that the exchange has blanked (price and quantity 0): it withdrew a record that had been repeated, so
 * there is no trade of that id.
 * @throws MalformedMessageError
 */
export function tradeOfRestRow(row: unknown): Trade | undefined {
  if (!isRecord(row)) throw new MalformedMessageError('the trade is not an object')
  const { id, price, qty, time, isBuyerMaker } = row
  const trade = tradeOf(id, time, price, qty, isBuyerMaker)
  if (typeof trade === 'string') throw new MalformedMessageError(trade)
  if (trade.price === 0n && trade.quantity === 0n) return undefined
  const fault = tradeFault(trade)
  if (fault !== undefined) throw new MalformedMessageError(fault)
  return trade
}

/** The way through JSON.parse: any spacing, any order of keys. */
function parsedMessageOf(text: string): FeedMessage {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return { kind: 'malformed', reason: 'the frame is not JSON' }
  }
  const envelope = isRecord(message) && 'stream' in message && 'data' in message ? message : undefined
  if (envelope?.stream === '!serverShutdown') return { kind: 'shutdown' }
  const payload = envelope === undefined ? message : envelope.data
  // All-market streams send arrays; we ask for none.
  if (Array.isArray(payload)) return { kind: 'other' }
  if (!isRecord(payload)) return { kind: 'malformed', reason: 'the message is not an object' }
  if (payload.e === 'trade') return tradeMessageOf(payload)
  if (payload.e === 'serverShutdown') return { kind: 'shutdown' }
  if (payload.e === undefined && ('result' in payload || 'error' in payload || 'code' in payload)) {
    return answerOf(payload)
  }
  if (payload.E === undefined) return { kind: 'other' }
  const fault = eventTimeFault(payload.E)
  return fault === undefined ? { kind: 'pulse', eventTime: payload.E as number } : { kind: 'malformed', reason: fault }
}

function tradeMessageOf(payload: Record<string, unknown>): FeedMessage {
  const { s: symbol, E: eventTime, t, T, p, q, m } = payload
  if (typeof symbol !== 'string' || !isSymbol(symbol)) return { kind: 'malformed', reason: 's is not a symbol' }
  const trade = tradeOf(t, T, p, q, m)
  if (typeof trade === 'string') return { kind: 'malformed', reason: trade }
  return checkedTradeMessage(symbol, trade, eventTime)
}

/** The last step of both ways: the values have their types, and must make sense. */
function checkedTradeMessage(symbol: string, trade: Trade, eventTime: unknown): FeedMessage {
  const fault = tradeFault(trade) ?? eventTimeFault(eventTime)
  if (fault !== undefined) return { kind: 'malformed', reason: fault }
  if (Math.abs((eventTime as number) - trade.tradeTime) > TRADE_TO_EVENT_MAX_MS) {
    return { kind: 'malformed', reason: `trade time ${trade.tradeTime} and event time ${eventTime} are an hour apart` }
  }
  return { kind: 'trade', symbol, trade, eventTime: eventTime as number }
}

/**
 * A trade out of the exchange's fields, or what is wrong with their types. `buyerIsMaker` is turned into the taker's side
 * here and nowhere else: when the buyer's order was resting, the seller crossed the spread.
 */
function tradeOf(id: unknown, time: unknown, price: unknown, quantity: unknown, buyerIsMaker: unknown): Trade | string {
  if (typeof id !== 'number') return 'the trade id is not a number'
  if (typeof time !== 'number') return 'the trade time is not a number'
  if (typeof buyerIsMaker !== 'boolean') return 'buyer is maker is neither true nor false'
  const exactPrice = exactDecimalOf(price, EXCHANGE_SCALES.price)
  if (typeof exactPrice === 'string') return `price: ${exactPrice}`
  const exactQuantity = exactDecimalOf(quantity, EXCHANGE_SCALES.quantity)
  if (typeof exactQuantity === 'string') return `quantity: ${exactQuantity}`
  return tradeOfExact(id, time, exactPrice, exactQuantity, buyerIsMaker)
}

function tradeOfExact(id: number, time: number, price: bigint, quantity: bigint, buyerIsMaker: boolean): Trade {
  return { tradeId: id, tradeTime: time, price, quantity, takerSide: buyerIsMaker ? 'sell' : 'buy' }
}

function exactDecimalOf(text: unknown, scale: number): bigint | string {
  if (typeof text !== 'string') return 'not a decimal in quotes'
  if (text.length > DECIMAL_LENGTH_MAX) return `a text of ${text.length} characters`
  try {
    return parseDecimal(text, scale)
  } catch (error) {
    if (error instanceof DecimalError) return error.message
    throw error
  }
}

/** Event times obey the bounds of trade times: a pulse from year 50,000 (microseconds) would close every bar there is. */
function eventTimeFault(eventTime: unknown): string | undefined {
  if (typeof eventTime !== 'number') return 'the event time is not a number'
  const fault = tradeFault({ tradeId: 0, tradeTime: eventTime, price: 1n, quantity: 1n, takerSide: 'buy' })
  return fault === undefined ? undefined : `event time ${eventTime} is not in milliseconds between 2000 and 2100`
}

function answerOf(payload: Record<string, unknown>): FeedMessage {
  const id = typeof payload.id === 'number' || typeof payload.id === 'string' ? payload.id : null
  const error = isRecord(payload.error) ? payload.error : payload
  if (error.code === undefined && payload.error === undefined) return { kind: 'answer', id }
  return {
    kind: 'answer',
    id,
    error: {
      code: typeof error.code === 'number' ? error.code : -1,
      msg: typeof error.msg === 'string' ? error.msg.slice(0, 200) : 'no reason given',
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The fixed text between the values of a trade, in the order in which the exchange prints them. */
const FORM = {
  stream: bytesOf('{"stream":"'),
  data: bytesOf('@trade","data":'),
  eventTime: bytesOf('{"e":"trade","E":'),
  symbol: bytesOf(',"s":"'),
  tradeId: bytesOf('","t":'),
  price: bytesOf(',"p":"'),
  quantity: bytesOf('","q":"'),
  tradeTime: bytesOf('","T":'),
  buyerIsMaker: bytesOf(',"m":'),
  ignored: bytesOf(',"M":'),
  true: bytesOf('true'),
  false: bytesOf('false'),
} as const

const ZERO = 0x30
const DOT = 0x2e
const CLOSING_BRACE = 0x7d

/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15

/** Digits that an integer of 32 bits holds, whatever they are. */
const SMALL_DIGITS = 9

/** Of every price and quantity that the exchange prints. */
const DECIMALS = 8
const UNITS = 10 ** DECIMALS
const EXACT_UNITS = BigInt(UNITS)

/**
 * Symbols that were read, each in the slot of its hash. Making a string of bytes costs more than comparing them with one, and whoever looks
 * a symbol up finds the same string faster than an equal one. Twice as many slots as the exchange trades symbols; two that share one
 * overwrite each other.
 */
const SYMBOL_SLOTS = 4_096
const SYMBOLS_READ: (string | undefined)[] = Array.from({ length: SYMBOL_SLOTS })

/** The fast way: the message, or undefined when one byte is not as usual. */
export function tradeMessageOfBytes(frame: Buffer): FeedMessage | undefined {
  const reader = new FrameReader(frame)
  const enveloped = reader.skip(FORM.stream)
  if (enveloped && !(reader.skipStreamName() && reader.skip(FORM.data))) return undefined
  if (!reader.skip(FORM.eventTime)) return undefined
  const eventTime = reader.integer()
  if (eventTime < 0 || !reader.skip(FORM.symbol)) return undefined
  const symbol = reader.symbol()
  if (symbol === undefined || !reader.skip(FORM.tradeId)) return undefined
  const tradeId = reader.integer()
  if (tradeId < 0 || !reader.skip(FORM.price)) return undefined
  const price = reader.decimal()
  if (price === undefined || !reader.skip(FORM.quantity)) return undefined
  const quantity = reader.decimal()
  if (quantity === undefined || !reader.skip(FORM.tradeTime)) return undefined
  const tradeTime = reader.integer()
  if (tradeTime < 0 || !reader.skip(FORM.buyerIsMaker)) return undefined
  const buyerIsMaker = reader.skip(FORM.true)
  if (!buyerIsMaker && !reader.skip(FORM.false)) return undefined
  if (!reader.skip(FORM.ignored) || !(reader.skip(FORM.true) || reader.skip(FORM.false))) return undefined
  if (!reader.endsWithBraces(enveloped ? 2 : 1)) return undefined
  const trade = tradeOfExact(tradeId, tradeTime, price, quantity, buyerIsMaker)
  return checkedTradeMessage(symbol, trade, eventTime)
}

/** Reads a frame from left to right; each method moves on only past what it has checked. */
class FrameReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** True, and past it, when `text` stands here. */
  skip(text: Uint8Array): boolean {
    const bytes = this.#bytes
    const start = this.#at
    for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false
    this.#at = start + text.length
    return true
  }

  /** Past lower case letters and digits. */
  skipStreamName(): boolean {
    const start = this.#at
    let at = start
    for (; ; at++) {
      const byte = this.#bytes[at] ?? 0
      if (!((byte >= 0x61 && byte <= 0x7a) || isDigit(byte))) break
    }
    this.#at = at
    return at > start
  }

  /** Upper case letters and digits, as long as a symbol may be. */
  symbol(): string | undefined {
    const start = this.#at
    let at = start
    let hash = 0
    for (; ; at++) {
      const byte = this.#bytes[at] ?? 0
      if (!((byte >= 0x41 && byte <= 0x5a) || isDigit(byte))) break
      hash = (Math.imul(hash, 31) + byte) & (SYMBOL_SLOTS - 1)
    }
    this.#at = at
    if (at - start < 2 || at - start > 30) return undefined
    const known = SYMBOLS_READ[hash]
    if (known !== undefined && this.#isAt(start, at, known)) return known
    const symbol = this.#bytes.toString('latin1', start, at)
    SYMBOLS_READ[hash] = symbol
    return symbol
  }

  #isAt(start: number, end: number, text: string): boolean {
    if (text.length !== end - start) return false
    for (let at = start; at < end; at++) if (this.#bytes[at] !== text.charCodeAt(at - start)) return false
    return true
  }

  /**
   * A whole number as JSON writes it (no sign, no leading zero) of up to 15 digits; −1 otherwise. Ids and times have more digits than a
   * small integer, with which reckoning is several times as fast as with a double, so they are gathered in two.
   */
  integer(): number {
    const bytes = this.#bytes
    const start = this.#at
    let at = start
    let high = 0
    for (; at < start + SMALL_DIGITS; at++) {
      const byte = bytes[at] ?? 0
      if (!isDigit(byte)) break
      high = high * 10 + byte - ZERO
    }
    let low = 0
    let factor = 1
    for (; ; at++) {
      const byte = bytes[at] ?? 0
      if (!isDigit(byte)) break
      low = low * 10 + byte - ZERO
      factor *= 10
    }
    const length = at - start
    if (length === 0 || length > SAFE_DIGITS || (length > 1 && bytes[start] === ZERO)) return -1
    this.#at = at
    return high * factor + low
  }

  /**
   * A decimal with exactly the exchange's eight decimals and up to 15 digits before them, as an integer of 10^-8; undefined otherwise.
   * The digits on either side of the point are gathered in numbers of their own, which mostly are small integers; together they are one
   * number up to 15 digits. Quantities of coins worth less than a cent have more.
   */
  decimal(): bigint | undefined {
    const bytes = this.#bytes
    const start = this.#at
    let whole = 0
    let dot = start
    for (; ; dot++) {
      const byte = bytes[dot] ?? 0
      if (!isDigit(byte)) break
      whole = whole * 10 + byte - ZERO
    }
    if (dot === start || dot - start > SAFE_DIGITS || bytes[dot] !== DOT) return undefined
    const end = dot + 1 + DECIMALS
    let fraction = 0
    for (let at = dot + 1; at < end; at++) {
      const byte = bytes[at] ?? 0
      if (!isDigit(byte)) return undefined
      fraction = fraction * 10 + byte - ZERO
    }
    this.#at = end
    if (dot - start <= SAFE_DIGITS - DECIMALS) return bigintOf(whole * UNITS + fraction)
    return bigintOf(whole) * EXACT_UNITS + bigintOf(fraction)
  }

  /** True when `count` closing braces are all that is left. */
  endsWithBraces(count: number): boolean {
    if (this.#bytes.length !== this.#at + count) return false
    for (let index = 0; index < count; index++) if (this.#bytes[this.#at + index] !== CLOSING_BRACE) return false
    return true
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}
