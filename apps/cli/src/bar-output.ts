import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { type Bar, type Scales, textOfBar } from '@chart/market'

/** How bars are printed. */
export type BarFormat = 'csv' | 'json'

/** The columns of the exchange's archive of klines (data.binance.vision), whose files have the same rows without this line. */
export const CSV_HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore'

/** Unit of the times of a CSV: the exchange's archive has milliseconds up to the end of 2024, microseconds from then on. */
export type TimeUnit = 'ms' | 'us'

/** `bar` as a row of the exchange's archive. */
export function csvRowOf(bar: Bar, scales: Scales, unit: TimeUnit): string {
  const text = textOfBar(bar, scales)
  return [
    unit === 'us' ? `${text.openTime}000` : text.openTime,
    text.open,
    text.high,
    text.low,
    text.close,
    text.baseVolume,
    unit === 'us' ? `${text.closeTime}999` : text.closeTime,
    text.quoteVolume,
    text.tradeCount,
    text.takerBuyBaseVolume,
    text.takerBuyQuoteVolume,
    0,
  ].join(',')
}

/** `bar` with every field it has, as one line of JSON. */
export function jsonRowOf(bar: Bar, scales: Scales): string {
  return JSON.stringify(textOfBar(bar, scales))
}

/** Text held back before it is written in one piece. */
const BUFFERED_CHARACTERS_MAX = 64 * 1024

/**
 * Lines to `stream`, in large pieces, waiting whenever the reader is slower than we are.
 * A reader that has gone makes the next write or flush throw its EPIPE.
 */
export function openLineOutput(stream: Writable) {
  let text = ''
  let failure: Error | undefined
  stream.on('error', error => {
    failure = error
  })

  async function flush(): Promise<void> {
    if (failure !== undefined) throw failure
    if (text === '') return
    const whole = text
    text = ''
    if (!stream.write(whole)) await once(stream, 'drain')
    if (failure !== undefined) throw failure
  }

  return {
    async write(line: string): Promise<void> {
      text += `${line}\n`
      if (text.length > BUFFERED_CHARACTERS_MAX) await flush()
    },
    flush,
  }
}
