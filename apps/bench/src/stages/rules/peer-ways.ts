import type { TradeRow } from '../../harness/generated-trades.ts'
import { type BarAsText, textOfDouble, type Way } from './bars-as-text.ts'
import {
  type Ccxt,
  type CcxtBar,
  type DecimalJs,
  type DecimalNumber,
  loadPeer,
  type Tardis,
  type TardisBar,
  type TardisBars,
} from './peers.ts'

/** 1m bars by what one would pick instead. Each gets the same text as ours and turns it into what it wants. */

const MINUTE_MS = 60_000

export function tardisWay(): Way {
  const { computeTradeBars } = loadPeer<Tardis>('tardis-dev')
  return rows => () => {
    const newBars = computeTradeBars({ kind: 'time', interval: MINUTE_MS })
    const barsOf = new Map<string, TardisBars>()
    const closed: TardisBar[] = []
    for (const { symbol, id, price, qty, time, isBuyerMaker } of rows) {
      let bars = barsOf.get(symbol)
      if (bars === undefined) {
        bars = newBars()
        barsOf.set(symbol, bars)
      }
      const timestamp = new Date(time)
      const trade = {
        type: 'trade',
        symbol,
        exchange: 'binance',
        id: String(id),
        price: Number(price),
        amount: Number(qty),
        side: isBuyerMaker ? 'sell' : 'buy',
        timestamp,
        localTimestamp: timestamp,
      } as const
      for (const bar of bars.compute(trade)) closed.push(bar)
    }
    return () => closed.map(textOfTardisBar)
  }
}

function textOfTardisBar(bar: TardisBar): BarAsText {
  const { symbol, openTimestamp, open, high, low, close, trades, volume, buyVolume } = bar
  const prices = [open, high, low, close].map(textOfDouble)
  const volumes = [volume, buyVolume].map(textOfDouble)
  return minuteOf(symbol, openTimestamp.getTime(), [...prices, String(trades), ...volumes])
}

export function ccxtWay(): Way {
  const { Exchange } = loadPeer<Ccxt>('ccxt')
  const exchange = new Exchange()
  return rows => () => {
    const tradesOf = new Map<string, { timestamp: number; price: number; amount: number }[]>()
    for (const { symbol, price, qty, time } of rows) {
      const trade = { timestamp: time, price: Number(price), amount: Number(qty) }
      const trades = tradesOf.get(symbol)
      if (trades === undefined) tradesOf.set(symbol, [trade])
      else trades.push(trade)
    }
    const bars = [...tradesOf].map(([symbol, trades]) => ({ symbol, bars: exchange.buildOHLCVC(trades, '1m') }))
    return () => bars.flatMap(of => of.bars.map(bar => textOfCcxtBar(of.symbol, bar)))
  }
}

function textOfCcxtBar(symbol: string, [openTime, open, high, low, close, volume, count]: CcxtBar): BarAsText {
  const prices = [open, high, low, close].map(textOfDouble)
  return minuteOf(symbol, openTime, [...prices, String(count), textOfDouble(volume)])
}

/** Digits that no sum of a day exceeds. */
const PRECISION = 40

interface DecimalBar {
  readonly symbol: string
  readonly openTime: number
  readonly open: DecimalNumber
  high: DecimalNumber
  low: DecimalNumber
  close: DecimalNumber
  tradeCount: number
  baseVolume: DecimalNumber
  takerBuyBaseVolume: DecimalNumber
  quoteVolume: DecimalNumber
  takerBuyQuoteVolume: DecimalNumber
}

export function decimalWay(): Way {
  const { Decimal } = loadPeer<DecimalJs>('decimal.js')
  Decimal.set({ precision: PRECISION })
  const zero = new Decimal(0)
  return rows => () => {
    const live = new Map<string, DecimalBar>()
    const closed: DecimalBar[] = []
    for (const row of rows) {
      const price = new Decimal(row.price)
      const openTime = row.time - (row.time % MINUTE_MS)
      let bar = live.get(row.symbol)
      if (bar?.openTime !== openTime) {
        if (bar !== undefined) closed.push(bar)
        bar = newDecimalBar(row.symbol, openTime, price, zero)
        live.set(row.symbol, bar)
      }
      addToDecimalBar(bar, price, new Decimal(row.qty), row)
    }
    return () => [...closed, ...live.values()].map(textOfDecimalBar)
  }
}

function newDecimalBar(symbol: string, openTime: number, price: DecimalNumber, zero: DecimalNumber): DecimalBar {
  return {
    symbol,
    openTime,
    open: price,
    high: price,
    low: price,
    close: price,
    tradeCount: 0,
    baseVolume: zero,
    takerBuyBaseVolume: zero,
    quoteVolume: zero,
    takerBuyQuoteVolume: zero,
  }
}

function addToDecimalBar(bar: DecimalBar, price: DecimalNumber, quantity: DecimalNumber, row: TradeRow): void {
  if (price.gt(bar.high)) bar.high = price
  if (price.lt(bar.low)) bar.low = price
  const quote = price.times(quantity)
  bar.close = price
  bar.tradeCount++
  bar.baseVolume = bar.baseVolume.plus(quantity)
  bar.quoteVolume = bar.quoteVolume.plus(quote)
  if (row.isBuyerMaker) return
  bar.takerBuyBaseVolume = bar.takerBuyBaseVolume.plus(quantity)
  bar.takerBuyQuoteVolume = bar.takerBuyQuoteVolume.plus(quote)
}

function textOfDecimalBar(bar: DecimalBar): BarAsText {
  const { baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume } = bar
  const textOf = (value: DecimalNumber) => value.toFixed(8)
  const prices = [bar.open, bar.high, bar.low, bar.close].map(textOf)
  const volumes = [baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume].map(textOf)
  return minuteOf(bar.symbol, bar.openTime, [...prices, String(bar.tradeCount), ...volumes])
}

function minuteOf(symbol: string, time: number, numbers: readonly string[]): BarAsText {
  return { symbol, interval: '1m', openTime: time - (time % MINUTE_MS), numbers }
}
