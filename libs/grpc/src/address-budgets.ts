import { isIPv4 } from 'node:net'
import { CONNECTION_COST, type ServerLimits } from './server-limits.ts'
import { TokenBucket } from './token-bucket.ts'

type Limits = Pick<ServerLimits, 'connectionsMax' | 'connectionsPerAddressMax' | 'addressRate'>

interface Budget {
  connections: number
  readonly bucket: TokenBucket
}

/** Addresses without a connection that are remembered because they owe tokens. Past it the one that left first is forgiven. */
const DEBTORS_MAX = 50_000

/** Why a connection is refused; a label of metrics, so these are all. */
export type ConnectionRefusal =
  | 'too many connections'
  | 'too many connections of its address'
  | 'its address is too fast'

/** Who may connect and call how often, by address. No clock and no socket: callers tell both. */
export class AddressBudgets {
  readonly #limits: Limits
  readonly #connected = new Map<string, Budget>()
  /** In the order of leaving. */
  readonly #debtors = new Map<string, Budget>()
  #connections = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get connections(): number {
    return this.#connections
  }

  /** Addresses that are remembered, for one reason or the other. */
  get addresses(): number {
    return this.#connected.size + this.#debtors.size
  }

  /** Counts a connection, or says why it may not be. */
  connect(address: string, now: number): ConnectionRefusal | undefined {
    if (this.#connections >= this.#limits.connectionsMax) return 'too many connections'
    const known = this.#connected.get(address) ?? this.#debtors.get(address)
    const budget = known ?? { connections: 0, bucket: new TokenBucket(this.#limits.addressRate, now) }
    if (budget.connections >= this.#limits.connectionsPerAddressMax) return 'too many connections of its address'
    if (!budget.bucket.take(now, CONNECTION_COST)) return 'its address is too fast'
    budget.connections++
    this.#connections++
    this.#debtors.delete(address)
    this.#connected.set(address, budget)
    return undefined
  }

  disconnect(address: string, now: number): void {
    const budget = this.#connected.get(address)
    if (budget === undefined) return
    this.#connections--
    if (--budget.connections > 0) return
    this.#connected.delete(address)
    if (budget.bucket.isFull(now)) return
    this.#debtors.set(address, budget)
    if (this.#debtors.size > DEBTORS_MAX) this.#debtors.delete(this.#debtors.keys().next().value!)
  }

  /**
   * Whether an address, which is connected, may begin one more call. It is charged either way: a connection brings hundreds of calls in
   * one piece, and those beyond the budget have cost us as well before the connection is cut.
   */
  call(address: string, now: number): boolean {
    return this.#connected.get(address)?.bucket.charge(now) ?? true
  }
}

/**
 * Whom an address stands for: itself with IPv4, its /64 with IPv6, where one machine has 2^64 addresses to choose from.
 * @param address as a socket tells it
 */
export function addressKeyOf(address: string): string {
  const mapped = /^::ffff:(.+)$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':').length : 0
  const groups = tail === undefined ? front : [...front, ...Array(Math.max(8 - front.length - back, 0)).fill('0')]
  return `${[...groups, ...(tail ?? '').split(':')].slice(0, 4).join(':')}::/64`
}
