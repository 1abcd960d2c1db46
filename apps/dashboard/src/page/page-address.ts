import { isSymbol } from '@chart/market'
import type { SeriesName } from '../wire.ts'

/** What the address of the page says, so that a reload or a shared link shows the same. */
export interface PageAddress {
  readonly charts: readonly SeriesName[]
  /** undefined: as the system. */
  readonly theme: Theme | undefined
}

export type Theme = 'dark' | 'light'

/** Charts on a page, and so series of a stream: what the server allows. */
export const CHARTS_MAX = 16

const INTERVAL = /^\d{1,3}[a-z]$/

/** What `search`, `?charts=BTCUSDT:1m,ETHUSDT:5m&theme=dark`, asks for. Passes over what has another form: people type addresses. */
export function pageAddressOf(search: string): PageAddress {
  const query = new URLSearchParams(search)
  const charts: SeriesName[] = []
  for (const part of (query.get('charts') ?? '').split(',')) {
    const [symbol = '', interval = '1m', ...rest] = part.trim().split(':')
    const name = { symbol: symbol.toUpperCase(), interval }
    if (isSymbol(name.symbol) && INTERVAL.test(interval) && rest.length === 0) charts.push(name)
  }
  return { charts: charts.slice(0, CHARTS_MAX), theme: themeOf(query.get('theme')) }
}

/** The inverse of pageAddressOf, without escapes that nobody can read. */
export function searchOf({ charts, theme }: PageAddress): string {
  const parts: string[] = []
  if (charts.length > 0) parts.push(`charts=${charts.map(chart => `${chart.symbol}:${chart.interval}`).join()}`)
  if (theme !== undefined) parts.push(`theme=${theme}`)
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

/** `text` as a theme; undefined where it is none. */
export function themeOf(text: string | null | undefined): Theme | undefined {
  return text === 'dark' || text === 'light' ? text : undefined
}

/** What comes after `chosen` when the button is pressed: the other one than the system's, the system's, as the system. Each press but the last is seen. */
export function nextTheme(chosen: Theme | undefined, system: Theme): Theme | undefined {
  const other = system === 'dark' ? 'light' : 'dark'
  if (chosen === undefined) return other
  return chosen === other ? system : undefined
}
