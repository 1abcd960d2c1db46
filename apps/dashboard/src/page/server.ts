import { type BarsAnswer, type SeriesName, type SymbolsAnswer, textOfWanted, type WantedSeries } from '../wire.ts'

/** A question that is not answered in this time is asked again; the server asks its edge, which may be starting. */
const ANSWER_MAX_MS = 10_000

/** A page of older bars: several screens, and quick to draw. */
export const OLDER_BARS = 500

/** What is served, and how far the server's clock is ahead of ours, in ms. */
export async function askSymbols(): Promise<{ answer: SymbolsAnswer; clockAheadMs: number }> {
  const response = await ask('/api/symbols')
  const told = Date.parse(response.headers.get('date') ?? '')
  return {
    answer: (await response.json()) as SymbolsAnswer,
    // The header has whole seconds: in the mean it is half a second behind.
    clockAheadMs: Number.isNaN(told) ? 0 : told + 500 - Date.now(),
  }
}

/** The closed bars before `before`. */
export async function askOlderBars({ symbol, interval }: SeriesName, before: number): Promise<BarsAnswer> {
  const response = await ask(`/api/bars?symbol=${symbol}&interval=${interval}&before=${before}&limit=${OLDER_BARS}`)
  return (await response.json()) as BarsAnswer
}

export function streamAddress(series: readonly WantedSeries[]): string {
  return `/api/stream?series=${textOfWanted(series)}`
}

async function ask(address: string): Promise<Response> {
  const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MAX_MS) })
  if (!response.ok) throw new Error(`${address} was answered with status ${response.status}`)
  return response
}
