import { isLimit, RestError } from './rest-error.ts'

/** Pause after a limit without a Retry-After: a minute, after which the exchange counts afresh. */
const LIMIT_PAUSE_MS = 60_000

/** Longest pause we believe in: the longest ban that the exchange documents, three days. */
const LIMIT_PAUSE_MAX_MS = 3 * 24 * 3_600_000

/** The largest answer by far is the full exchangeInfo, about 20 MB; a body that goes on past this is no answer to us. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

/** How long the exchange wants us to wait after it has said stop. */
export function pauseMsOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1_000, LIMIT_PAUSE_MAX_MS) : LIMIT_PAUSE_MS
}

/** `{"code":-1121,"msg":"Invalid symbol."}`, or a web server's page. */
export function refusalOf(path: string, response: Response, answer: unknown): RestError {
  const { code, msg } = (typeof answer === 'object' && answer !== null ? answer : {}) as {
    code?: unknown
    msg?: unknown
  }
  const reason = typeof msg === 'string' ? msg.slice(0, 200) : response.statusText
  return new RestError(`${path}: ${response.status} ${reason}`, {
    status: response.status,
    ...(typeof code === 'number' && { code }),
    ...(isLimit(response.status) && { retryAfterMs: pauseMsOf(response) }),
  })
}

/** The whole body, decoded as it comes. */
export async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > BODY_BYTES_MAX) throw new Error(`the answer is longer than ${BODY_BYTES_MAX} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Undefined when it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** undici says "fetch failed" and keeps the reason ("connect ECONNREFUSED …") in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
