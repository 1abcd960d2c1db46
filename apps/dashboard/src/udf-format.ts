import { type BarText, type Interval, KNOWN_INTERVALS } from '@chart/market'
import type { SymbolInfo } from '@chart/redis'

/**
 * Our symbols, intervals and bars in the words of UDF, the datafeed protocol of TradingView's charting library
 * (https://www.tradingview.com/charting-library-docs/latest/connecting_data/UDF): resolutions count minutes, times are in seconds.
 */

/** The one kind of symbol that there is. */
const TYPE = 'crypto'

/** Of a symbol whose steps are not known yet: all decimals that the exchange sends. */
const DECIMALS_MAX = 8

const MINUTE_MS = 60_000

/** `1S`, `1`, `60`, `1D` of an interval. */
export function resolutionOf({ name, intervalMs }: Interval): string {
  if (name.endsWith('s')) return `${intervalMs / 1_000}S`
  return name.endsWith('d') ? '1D' : String(intervalMs / MINUTE_MS)
}

/** The interval of a resolution; undefined where there is none. The library leaves the number out where it is one: `D`. */
export function intervalOfResolution(resolution: string): Interval | undefined {
  const whole = /^[SD]$/.test(resolution) ? `1${resolution}` : resolution
  return KNOWN_INTERVALS.find(interval => resolutionOf(interval) === whole)
}

/** Answer of `/config`. */
export function udfConfigOf(intervals: readonly Interval[]) {
  return {
    supported_resolutions: intervals.map(resolutionOf),
    supports_search: true,
    supports_group_request: false,
    supports_marks: false,
    supports_timescale_marks: false,
    supports_time: true,
    exchanges: [],
    symbols_types: [{ name: 'Crypto', value: TYPE }],
  }
}

/** Answer of `/symbols`. */
export function udfSymbolOf(info: SymbolInfo, intervals: readonly Interval[]) {
  const ofUnit = (unit: RegExp) => intervals.filter(({ name }) => unit.test(name)).map(resolutionOf)
  const intraday = ofUnit(/[mh]$/)
  const exchange = exchangeOf(info)
  return {
    name: info.symbol,
    ticker: info.symbol,
    full_name: info.symbol,
    description: descriptionOf(info),
    type: TYPE,
    exchange,
    listed_exchange: exchange,
    session: '24x7',
    timezone: 'Etc/UTC',
    format: 'price',
    ...priceStepOf(info.tickSize),
    volume_precision: decimalsOf(info.stepSize),
    has_intraday: true,
    intraday_multipliers: intraday,
    has_seconds: ofUnit(/s$/).length > 0,
    seconds_multipliers: ofUnit(/s$/).map(resolution => resolution.slice(0, -1)),
    has_daily: ofUnit(/d$/).length > 0,
    daily_multipliers: ofUnit(/d$/).map(resolution => resolution.slice(0, -1)),
    has_weekly_and_monthly: false,
    supported_resolutions: intervals.map(resolutionOf),
    data_status: 'streaming',
  }
}

/** One row of the answer of `/search`. */
export function udfFoundOf(info: SymbolInfo) {
  return {
    symbol: info.symbol,
    full_name: info.symbol,
    ticker: info.symbol,
    description: descriptionOf(info),
    exchange: exchangeOf(info),
    type: TYPE,
  }
}

/** Whether a symbol is among those that a search asks for. Empty words ask for all. */
export function isFound(info: SymbolInfo, { query, type, exchange }: Record<'query' | 'type' | 'exchange', string>) {
  return (
    info.symbol.includes(query.toUpperCase()) &&
    (type === '' || type === TYPE) &&
    (exchange === '' || exchange === exchangeOf(info))
  )
}

/**
 * Answer of `/history` as JSON, of bars in order of time. Numbers are written with the decimals that they have, digit by digit.
 * @param nextOpenTime of the newest bar before the range, where the range has none
 */
export function udfBarsText(bars: readonly BarText[], nextOpenTime: number | undefined): string {
  if (bars.length === 0) {
    return JSON.stringify({ s: 'no_data', ...(nextOpenTime !== undefined && { nextTime: nextOpenTime / 1_000 }) })
  }
  const column = (value: (bar: BarText) => string | number) => `[${bars.map(value).join()}]`
  const columns = {
    t: column(bar => bar.openTime / 1_000),
    o: column(bar => bar.open),
    h: column(bar => bar.high),
    l: column(bar => bar.low),
    c: column(bar => bar.close),
    v: column(bar => bar.baseVolume),
  }
  return `{"s":"ok",${Object.entries(columns)
    .map(([name, values]) => `"${name}":${values}`)
    .join()}}`
}

/** Smallest step of prices as `minmov / pricescale`: "0.05000000" is 5 / 100. */
export function priceStepOf(tickSize: string): { minmov: number; pricescale: number } {
  const decimals = decimalsOf(tickSize)
  const step = Number(tickSize.replace('.', '').slice(0, tickSize.indexOf('.') + decimals))
  return { minmov: step > 0 ? step : 1, pricescale: 10 ** decimals }
}

/** How many decimals a step has: "0.01000000" has 2. */
function decimalsOf(step: string): number {
  const match = /^\d+\.(\d*?)0*$/.exec(step)
  return match === null ? DECIMALS_MAX : match[1]!.length
}

function exchangeOf({ simulated }: SymbolInfo): string {
  return simulated ? 'SIMULATED' : 'BINANCE'
}

function descriptionOf({ symbol, simulated }: SymbolInfo): string {
  return simulated ? `${symbol} (simulated)` : symbol
}
