import type { BarText } from '@chart/market'
import { listBars, type Postgres } from '@chart/postgres'

/** What the simulator says a bar must be, computed by itself straight from its trades. */
export interface OracleBar {
  readonly openTime: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly baseVolume: string
  readonly quoteVolume: string
  readonly takerBuyBaseVolume: string
  readonly takerBuyQuoteVolume: string
  readonly tradeCount: number
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly live: boolean
}

/** The oracle's bars that are closed by the exchange's clock; without a range of open times, the last 500 bars. */
export async function closedOracleBars(
  apiUrl: string,
  symbol: string,
  interval: string,
  range?: { from: number; to: number },
): Promise<OracleBar[]> {
  const ranged = range === undefined ? '' : `&from=${range.from}&to=${range.to}`
  const response = await fetch(`${apiUrl}/control/oracle?symbol=${symbol}&interval=${interval}${ranged}`)
  if (!response.ok) throw new Error(`the oracle answers ${response.status}: ${await response.text()}`)
  return ((await response.json()) as OracleBar[]).filter(bar => !bar.live)
}

/** All stored bars of a series, oldest first. */
export async function storedBars(postgres: Postgres, symbol: string, interval: string): Promise<BarText[]> {
  const bars: BarText[] = []
  for (;;) {
    const after = bars.at(-1)?.openTime
    const page = await listBars(postgres, {
      symbol,
      interval,
      order: 'oldest',
      limit: 500,
      ...(after !== undefined && { after }),
    })
    if (page.length === 0) return bars
    bars.push(...page)
  }
}

/** The fields in which both must agree to the last digit. */
export function provable(bar: OracleBar | BarText): Omit<OracleBar, 'live'> {
  const { openTime, open, high, low, close, baseVolume, quoteVolume, takerBuyBaseVolume, takerBuyQuoteVolume } = bar
  const { tradeCount, firstTradeId, lastTradeId } = bar
  return {
    openTime,
    open,
    high,
    low,
    close,
    baseVolume,
    quoteVolume,
    takerBuyBaseVolume,
    takerBuyQuoteVolume,
    tradeCount,
    firstTradeId,
    lastTradeId,
  }
}
