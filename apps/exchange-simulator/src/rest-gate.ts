export interface RestLimits {
  /** Weight that one address may use in a minute. */
  readonly weightMax: number
  /** Refused requests after which the address is banned. */
  readonly refusalsMax: number
  readonly banMs: number
}

/** Statuses to answer with, whatever is asked: for `count` requests or `ms`, whichever ends first. */
export interface RestFault {
  readonly status: number
  readonly count: number
  readonly ms: number
  readonly retryAfterSec: number
}

export interface Passage {
  readonly usedWeight: number
  /** Why the request is not answered; undefined lets it pass. */
  readonly refusal?: { readonly status: number; readonly retryAfterSec: number | undefined; readonly body: string }
}

interface Account {
  minute: number
  used: number
  refusals: number
  bannedUntil: number
}

const minuteMs = 60_000

/** Decides of every REST request whether it is answered: 429 past the weight of a minute, 418 for who goes on, faults. */
export class RestGate {
  readonly #limits: RestLimits
  readonly #accounts = new Map<string, Account>()
  #fault: { status: number; left: number; until: number; retryAfterSec: number } | undefined
  faultsApplied = 0

  constructor(limits: RestLimits) {
    this.#limits = limits
  }

  fail(fault: RestFault): void {
    const { status, count, ms, retryAfterSec } = fault
    this.#fault = { status, left: count, until: Date.now() + ms, retryAfterSec }
  }

  clear(): void {
    this.#fault = undefined
  }

  /** `now` in ms; minutes are the wall's, also where the exchange's time is virtual. */
  pass(address: string, weight: number, now = Date.now()): Passage {
    const account = this.#account(address, now)
    const fault = this.#takeFault(now)
    if (fault) {
      const refusal = { status: fault.status, retryAfterSec: fault.retryAfterSec, body: bodyOf(fault.status, now) }
      return { usedWeight: account.used, refusal }
    }
    if (account.bannedUntil > now) return refused(account, 418, account.bannedUntil - now, account.bannedUntil)
    account.used += weight
    if (account.used <= this.#limits.weightMax) return { usedWeight: account.used }
    account.refusals += 1
    if (account.refusals > this.#limits.refusalsMax) {
      account.bannedUntil = now + this.#limits.banMs
      return refused(account, 418, this.#limits.banMs, account.bannedUntil)
    }
    return refused(account, 429, (account.minute + 1) * minuteMs - now, now)
  }

  #account(address: string, now: number): Account {
    const minute = Math.floor(now / minuteMs)
    let account = this.#accounts.get(address)
    if (!account) {
      account = { minute, used: 0, refusals: 0, bannedUntil: 0 }
      this.#accounts.set(address, account)
    }
    if (account.minute !== minute) Object.assign(account, { minute, used: 0, refusals: 0 })
    return account
  }

  #takeFault(now: number) {
    const fault = this.#fault
    if (!fault) return undefined
    if (fault.left <= 0 || now >= fault.until) {
      this.#fault = undefined
      return undefined
    }
    fault.left -= 1
    this.faultsApplied += 1
    return fault
  }
}

function refused(account: Account, status: number, waitMs: number, bannedUntil: number): Passage {
  const retryAfterSec = Math.ceil(waitMs / 1000)
  return { usedWeight: account.used, refusal: { status, retryAfterSec, body: bodyOf(status, bannedUntil) } }
}

/** The exchange's words for a refusal. */
function bodyOf(status: number, bannedUntil: number): string {
  const errors: Record<number, [code: number, msg: string]> = {
    418: [
      -1003,
      `Way too many requests; IP banned until ${bannedUntil}. Please use WebSocket Streams for live updates.`,
    ],
    429: [
      -1003,
      'Too much request weight used; please use WebSocket Streams for live updates to avoid polling the API.',
    ],
    503: [-1008, 'Server is currently overloaded with other requests. Please try again in a few minutes.'],
  }
  const [code, msg] = errors[status] ?? [-1000, 'An unknown error occurred while processing the request.']
  return JSON.stringify({ code, msg })
}
