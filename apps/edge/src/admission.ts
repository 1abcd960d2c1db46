import { type Admission, type CallGuard, type IncomingCall, RpcError, type StreamBarsRequest } from '@chart/grpc'
import { type CallKind, isOpenToAll, kindOf, readsHistory, scopeOfMethod } from './call-scope.ts'
import { Caller } from './caller.ts'
import type { CallerLimits, KeyEntry, KeyRing, Scope } from './key-ring.ts'

export interface AdmissionOptions {
  /** The keys of now; undefined where none are asked for, and callers are told apart by address. */
  readonly keys: (() => KeyRing) | undefined
  readonly callerLimits: CallerLimits
  /** StreamBars calls open at this edge. */
  readonly streamsMax: number
  readonly now?: () => number
}

/** Callers remembered at most; an idle one is like a new one, so forgetting it gives it nothing. */
const CALLERS_MAX = 20_000
/** Looking through all of them takes some milliseconds. */
const FORGET_EVERY_MS = 1_000

/** Who may call what, and how often. */
export class CallAdmission implements CallGuard {
  readonly #options: AdmissionOptions
  readonly #now: () => number
  /** By key id, or by address. */
  readonly #callers = new Map<string, { caller: Caller; limits: CallerLimits }>()
  #streams = 0
  #forgetTime = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** @throws RpcError when the call is refused */
  admit({ method, address, authorization }: IncomingCall): Admission {
    const now = this.#now()
    const { keys, streamsMax } = this.#options
    const entry = keys === undefined || isOpenToAll(method) ? undefined : keys().entryOf(authorization, now)
    if (entry !== undefined) requireScope(entry, scopeOfMethod(method))
    const kind = kindOf(method)
    if (kind === 'stream' && this.#streams >= streamsMax) {
      throw new RpcError('RESOURCE_EXHAUSTED', `this edge has ${streamsMax} streams, its most; call another`)
    }
    const caller = this.#callerOf(entry, address, now)
    caller.begin(kind, now)
    this.#count(kind, 1)
    return {
      keyId: entry?.id,
      checkMessage(message) {
        if (kind === 'stream' && entry !== undefined && readsHistory(message as StreamBarsRequest)) {
          requireScope(entry, 'history')
        }
      },
      release: () => {
        caller.end(kind)
        this.#count(kind, -1)
      },
    }
  }

  #count(kind: CallKind, by: number): void {
    if (kind === 'stream') this.#streams += by
  }

  #callerOf(entry: KeyEntry | undefined, address: string, now: number): Caller {
    const name = entry === undefined ? `address ${address}` : `key ${entry.id}`
    const known = this.#callers.get(name)
    const limits = { ...this.#options.callerLimits, ...entry?.limits }
    // A key whose limits were changed begins anew; what it has open is counted by the former.
    if (known !== undefined && isSame(known.limits, limits)) return known.caller
    if (this.#callers.size >= CALLERS_MAX) this.#forgetIdle(now)
    const caller = new Caller(limits, now)
    this.#callers.set(name, { caller, limits })
    return caller
  }

  #forgetIdle(now: number): void {
    if (now >= this.#forgetTime) {
      this.#forgetTime = now + FORGET_EVERY_MS
      for (const [name, { caller }] of this.#callers) if (caller.isIdle(now)) this.#callers.delete(name)
    }
    if (this.#callers.size >= CALLERS_MAX) {
      throw new RpcError('RESOURCE_EXHAUSTED', 'this edge has too many callers; call another')
    }
  }
}

function requireScope(entry: KeyEntry, scope: Scope | undefined): void {
  if (scope === undefined || entry.scopes.includes(scope)) return
  const what = scope === 'live' ? 'live bars' : 'bars of the past (ListBars, and StreamBars with start_time)'
  throw new RpcError('PERMISSION_DENIED', `the API key ${entry.id} is not for ${what}; ask for the scope "${scope}"`)
}

function isSame(one: CallerLimits, other: CallerLimits): boolean {
  return (Object.keys(one) as (keyof CallerLimits)[]).every(name => one[name] === other[name])
}
