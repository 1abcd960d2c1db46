import type { InputChoice } from './config.ts'

/** Where the trades come from, and why; the reason stays on the screen as long as the market is simulated. */
export type Input = { readonly mode: 'live' } | { readonly mode: 'simulated'; readonly reason: string }

/** A person waits for this at the start. */
const probeMs = 3_000

/** Binance where it is wanted or can be reached, otherwise the simulator. Asks at most once, and for three seconds. */
export async function decideInput(choice: InputChoice, apiUrl: string, timeoutMs = probeMs): Promise<Input> {
  if (choice === 'live') return { mode: 'live' }
  if (choice === 'simulate') return { mode: 'simulated', reason: 'asked for with --simulate' }
  const fault = await exchangeFault(apiUrl, timeoutMs)
  return fault === undefined ? { mode: 'live' } : { mode: 'simulated', reason: fault }
}

/** Why the exchange at `apiUrl` cannot be used, in a few words; `undefined` when it tells its time. */
export async function exchangeFault(apiUrl: string, timeoutMs: number): Promise<string | undefined> {
  const { host } = new URL(apiUrl)
  try {
    const response = await fetch(new URL('/api/v3/time', apiUrl), { signal: AbortSignal.timeout(timeoutMs) })
    // 451: Binance does not serve this country; 418 and 429: this address has asked too much.
    if (!response.ok) return `${host} answers ${response.status}`
    const body: unknown = await response.json()
    const isTime =
      typeof body === 'object' && body !== null && 'serverTime' in body && Number.isInteger(body.serverTime)
    return isTime ? undefined : `${host} answers something that is not Binance’s time`
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return `${host} does not answer within ${timeoutMs / 1000} s`
    if (error instanceof SyntaxError) return `${host} answers something that is not Binance’s time`
    const { cause } = error as { cause?: { code?: string } }
    return `${host} cannot be reached${cause?.code === undefined ? '' : ` (${cause.code})`}`
  }
}
