interface Status {
  readonly symbols: Record<string, { tradesEmitted: number; lastTradeId: number | null }>
}

async function statusOf(exchangeUrl: string): Promise<Status> {
  const response = await fetch(`${exchangeUrl}/control/status`)
  if (!response.ok) throw new Error(`the exchange answers ${response.status}: ${await response.text()}`)
  return (await response.json()) as Status
}

/** The newest trade id that the exchange has sent of each symbol. */
export async function newestTradeIds(exchangeUrl: string): Promise<Map<string, number>> {
  const { symbols } = await statusOf(exchangeUrl)
  return new Map(Object.entries(symbols).map(([symbol, { lastTradeId }]) => [symbol, lastTradeId ?? 0]))
}

/** Trades of all symbols since the exchange was started. */
export async function tradesEmitted(exchangeUrl: string): Promise<number> {
  const { symbols } = await statusOf(exchangeUrl)
  return Object.values(symbols).reduce((sum, one) => sum + one.tradesEmitted, 0)
}
