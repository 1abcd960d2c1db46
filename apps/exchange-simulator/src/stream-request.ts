/** Streams one connection may have; more are refused. */
export const streamsMax = 1024

/** What a connection has asked for so far. */
export interface Subscriptions {
  readonly streams: ReadonlySet<string>
  readonly combined: boolean
}

/** What a request changes, and the text that answers it. */
export interface RequestOutcome {
  readonly reply: string
  readonly subscribe?: readonly string[]
  readonly unsubscribe?: readonly string[]
  readonly combined?: boolean
}

const methods = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY']

/** The exchange's error: code 0 unknown property, 1 wrong value type, 2 invalid request, 3 invalid JSON. */
class RequestError extends Error {
  readonly code: 0 | 1 | 2 | 3

  constructor(code: 0 | 1 | 2 | 3, message: string) {
    super(message)
    this.code = code
  }
}

/** Reads `{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}` and its siblings. Never throws: mistakes are answered. */
export function answerRequest(text: string, subscriptions: Subscriptions): RequestOutcome {
  let id: unknown = null
  try {
    const request = parseRequest(text)
    id = requestId(request)
    const outcome = carryOut(request, subscriptions)
    return { ...outcome, reply: JSON.stringify({ result: outcome.result, id }) }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    return { reply: JSON.stringify({ code: error.code, msg: error.message, id }) }
  }
}

function parseRequest(text: string): Record<string, unknown> {
  let request: unknown
  try {
    request = JSON.parse(text)
  } catch (error) {
    throw new RequestError(3, `Invalid JSON: ${(error as Error).message}`)
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new RequestError(2, 'Invalid request: expected an object')
  }
  return request as Record<string, unknown>
}

/** 64 bit integers, names of up to 36 letters and digits, or null; nothing is null as well. */
function requestId(request: Record<string, unknown>): number | string | null {
  const id = request.id ?? null
  if (id === null || (typeof id === 'number' && Number.isInteger(id))) return id
  if (typeof id === 'string' && /^[\w-]{1,36}$/.test(id)) return id
  throw new RequestError(2, 'Invalid request: request ID must be an integer, an alphanumeric string or null')
}

function carryOut(
  request: Record<string, unknown>,
  subscriptions: Subscriptions,
): Omit<RequestOutcome, 'reply'> & { result: unknown } {
  if (typeof request.method !== 'string') throw new RequestError(2, 'Invalid request: missing field `method`')
  switch (request.method) {
    case 'SUBSCRIBE': {
      const subscribe = streamNames(request.params)
      if (new Set([...subscriptions.streams, ...subscribe]).size > streamsMax) {
        throw new RequestError(2, `Invalid request: more than ${streamsMax} streams on a connection`)
      }
      return { result: null, subscribe }
    }
    case 'UNSUBSCRIBE':
      return { result: null, unsubscribe: streamNames(request.params) }
    case 'LIST_SUBSCRIPTIONS':
      return { result: [...subscriptions.streams] }
    case 'SET_PROPERTY': {
      const [name, value] = Array.isArray(request.params) ? request.params : []
      checkProperty(name)
      if (typeof value !== 'boolean') throw new RequestError(1, 'Invalid value type: expected Boolean')
      return { result: null, combined: value }
    }
    case 'GET_PROPERTY':
      checkProperty(Array.isArray(request.params) ? request.params[0] : undefined)
      return { result: subscriptions.combined }
    default:
      throw new RequestError(
        2,
        `Invalid request: unknown variant \`${request.method}\`, expected one of \`${methods.join('`, `')}\``,
      )
  }
}

function streamNames(params: unknown): string[] {
  if (!Array.isArray(params) || params.length === 0 || params.some(name => typeof name !== 'string')) {
    throw new RequestError(2, 'Invalid request: params must be a list of stream names')
  }
  return params
}

function checkProperty(name: unknown): void {
  if (typeof name !== 'string') throw new RequestError(2, 'Invalid request: property name must be a string')
  if (name !== 'combined') throw new RequestError(0, 'Unknown property')
}

/** Streams and manner of `/ws/a/b` and `/stream?streams=a/b&timeUnit=MICROSECOND`; undefined for any other address. */
export function streamsOfUrl(url: string): { streams: string[]; combined: boolean; microseconds: boolean } | undefined {
  const address = URL.parse(url, 'ws://exchange')
  if (!address) return undefined
  const { pathname, searchParams } = address
  const microseconds = /^microsecond$/i.test(searchParams.get('timeUnit') ?? '')
  const [, root, ...rest] = pathname.replaceAll('%40', '@').split('/')
  if (root === 'ws') return { streams: rest.filter(name => name !== ''), combined: false, microseconds }
  if (root !== 'stream' || rest.some(name => name !== '')) return undefined
  const streams = (searchParams.get('streams') ?? '').split('/').filter(name => name !== '')
  return { streams, combined: true, microseconds }
}
