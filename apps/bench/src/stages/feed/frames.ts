import { generatedTrades, TRADED_SYMBOLS, type TradeRow } from '../../harness/generated-trades.ts'

/** What the exchange sends on a combined stream, as bytes of unmasked WebSocket frames. */

/** A payload up to here has its length in the second byte; above, and below 64 KiB, in the two that follow. */
const SHORT_PAYLOAD_MAX = 125
const TEXT_FRAME = 0x81

/** From the match to the message, as it mostly is. */
const EVENT_DELAY_MS = 1

/** Ready frames of generated trades, and what a receiver can prove with that it has read them all. */
export interface Frames {
  readonly bytes: Buffer
  readonly count: number
  /** Sum of the trade ids; below 2^53. */
  readonly idSum: number
}

export function framesOf(count: number): Frames {
  const parts: Buffer[] = []
  let idSum = 0
  for (const row of generatedTrades(count)) {
    parts.push(frameOf(messageOf(row)))
    idSum += row.id
  }
  return { bytes: Buffer.concat(parts), count, idSum }
}

export function messageOf({ symbol, id, price, qty, time, isBuyerMaker }: TradeRow): string {
  const data = `{"e":"trade","E":${time + EVENT_DELAY_MS},"s":"${symbol}","t":${id},"p":"${price}","q":"${qty}","T":${time},"m":${isBuyerMaker},"M":true}`
  return `{"stream":"${symbol.toLowerCase()}@trade","data":${data}}`
}

/** A message of the pulse stream, before the first trade. */
export function pulseMessage(): string {
  const [{ time }] = [...generatedTrades(1)] as [TradeRow]
  const kline = { t: time - (time % 1_000), i: '1s', x: false }
  return JSON.stringify({
    stream: 'btcusdt@kline_1s',
    data: { e: 'kline', E: time, s: TRADED_SYMBOLS[0], k: kline },
  })
}

export function frameOf(message: string): Buffer {
  const payload = Buffer.from(message)
  const { length } = payload
  const head =
    length <= SHORT_PAYLOAD_MAX
      ? Buffer.from([TEXT_FRAME, length])
      : Buffer.from([TEXT_FRAME, 126, length >> 8, length & 0xff])
  return Buffer.concat([head, payload])
}
