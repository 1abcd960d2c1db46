import { type Interval, isInterval } from './bar.ts'
import type { Tape } from './tape.ts'

/** An answer of the exchange that says no: `{"code":-1121,"msg":"Invalid symbol."}`. */
export class RestError extends Error {
  readonly code: number
  readonly status: number

  constructor(code: number, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** Rows of an answer that does not say how many it wants, and the most there are; more asked for is cut to it. */
const limitDefault = 500
const limitMax = 1000

/** Reads parameters the way the exchange does, with its codes for what is wrong. */
export class RestQuery {
  readonly #params: URLSearchParams
  readonly #tapes: ReadonlyMap<string, Tape>

  constructor(params: URLSearchParams, tapes: ReadonlyMap<string, Tape>) {
    this.#params = params
    this.#tapes = tapes
  }

  has(name: string): boolean {
    return this.#params.has(name)
  }

  text(name: string): string | undefined {
    return this.#params.get(name) ?? undefined
  }

  tape(): Tape {
    return this.#tapeOf(this.#required('symbol'))
  }

  /** Those named by `symbol` or `symbols`, all where neither is. */
  tapes(): Tape[] {
    if (this.has('symbol') && this.has('symbols'))
      throw new RestError(-1128, 'Combination of optional parameters invalid.')
    if (this.has('symbol')) return [this.tape()]
    const text = this.#params.get('symbols')
    if (text === null) return [...this.#tapes.values()]
    let names: unknown
    try {
      names = JSON.parse(text)
    } catch {
      names = undefined
    }
    if (!Array.isArray(names)) throw illegal('symbols')
    return names.map(name => this.#tapeOf(String(name)))
  }

  interval(): Interval {
    const interval = this.#required('interval')
    if (!isInterval(interval)) throw new RestError(-1120, 'Invalid interval.')
    return interval
  }

  limit(): number {
    const limit = this.#integer('limit') ?? limitDefault
    if (limit < 1) throw new RestError(-1130, "Data sent for parameter 'limit' is not valid.")
    return Math.min(limit, limitMax)
  }

  id(name: string): number | undefined {
    return this.#integer(name)
  }

  /** A moment in ms; parameters may be in microseconds as well. */
  time(name: string): number | undefined {
    const time = this.#integer(name)
    return time !== undefined && time > 1e14 ? Math.floor(time / 1000) : time
  }

  #integer(name: string): number | undefined {
    const text = this.#params.get(name)
    if (text === null) return undefined
    if (text === '') throw missing(name)
    if (!/^\d{1,18}$/.test(text)) throw illegal(name)
    return Number(text)
  }

  #required(name: string): string {
    const value = this.#params.get(name)
    if (!value) throw missing(name)
    return value
  }

  #tapeOf(symbol: string): Tape {
    if (!/^[\p{L}\p{N}_.-]{1,20}$/u.test(symbol)) throw illegal('symbol')
    const tape = this.#tapes.get(symbol)
    if (!tape) throw new RestError(-1121, 'Invalid symbol.')
    return tape
  }
}

function missing(name: string): RestError {
  return new RestError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)
}

function illegal(name: string): RestError {
  return new RestError(-1100, `Illegal characters found in parameter '${name}'.`)
}
