import { type TimeFactor, tradeFrame } from './frames.ts'
import { createRandom } from './random.ts'
import type { Trade } from './trade.ts'

/** Which frames a fault takes: the next `count`, or a `share` (0…1) until cleared; of one symbol, or of all. */
export interface FrameSelection {
  readonly symbol?: string
  readonly share?: number
  readonly count?: number
}

/** How a frame is broken. `numbers` is valid JSON with price and quantity as numbers. */
export const malformedKinds = ['invalid-json', 'wrong-types', 'numbers', 'missing-field', 'unknown-event'] as const
export type MalformedKind = (typeof malformedKinds)[number]

/** One trade on its way to the sockets. */
export interface TradeFrame {
  readonly trade: Trade
  readonly malformed?: MalformedKind
}

export type FrameFault =
  | { readonly fault: 'drop' | 'duplicate' }
  | { readonly fault: 'malformed'; readonly kind: MalformedKind }
  /** A frame is sent after the next `by` of its symbol. */
  | { readonly fault: 'reorder'; readonly by: number }

interface Rule {
  readonly effect: FrameFault
  readonly symbol: string | undefined
  readonly share: number | undefined
  left: number
}

/** Rules in force at once; one more is refused. */
const rulesMax = 100

/**
 * What goes wrong between the exchange's book and its trade streams. The trades themselves are untouched: REST, klines
 * and the oracle have them all.
 */
export class TradeFaults {
  readonly #random: () => number
  #rules: Rule[] = []
  readonly #heldBack = new Map<string, { frame: TradeFrame; after: number }[]>()
  readonly counts = { drop: 0, duplicate: 0, reorder: 0, malformed: 0 }

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  add(effect: FrameFault, selection: FrameSelection): void {
    if (this.#rules.length >= rulesMax) throw new RangeError(`more than ${rulesMax} faults of frames at once`)
    const { symbol, share } = selection
    const left = selection.count ?? (share === undefined ? 1 : Number.POSITIVE_INFINITY)
    this.#rules.push({ effect, symbol, share, left })
  }

  /** What is held back for reordering goes out before the next frames of its symbol. */
  clear(): void {
    this.#rules = []
    for (const held of this.#heldBack.values()) for (const entry of held) entry.after = 0
  }

  /** The frames to send in place of `trades`, in order. */
  apply(symbol: string, trades: readonly Trade[]): TradeFrame[] {
    if (this.#rules.length === 0 && !this.#heldBack.has(symbol)) return trades.map(trade => ({ trade }))
    const sent: TradeFrame[] = []
    this.#release(symbol, sent, 0)
    for (const trade of trades) this.#passOn(symbol, trade, sent)
    this.#rules = this.#rules.filter(rule => rule.left > 0)
    return sent
  }

  #passOn(symbol: string, trade: Trade, sent: TradeFrame[]): void {
    let frame: TradeFrame = { trade }
    let copies = 1
    for (const rule of this.#rules) {
      if (!this.#takes(rule, symbol)) continue
      this.counts[rule.effect.fault] += 1
      switch (rule.effect.fault) {
        case 'drop':
          return
        case 'duplicate':
          copies += 1
          break
        case 'malformed':
          frame = { trade, malformed: rule.effect.kind }
          break
        case 'reorder':
          this.#holdBack(symbol, frame, rule.effect.by)
          return
        default:
          rule.effect satisfies never
      }
    }
    for (let copy = 0; copy < copies; copy++) sent.push(frame)
    this.#release(symbol, sent, 1)
  }

  #takes(rule: Rule, symbol: string): boolean {
    if (rule.left <= 0 || (rule.symbol !== undefined && rule.symbol !== symbol)) return false
    if (rule.share !== undefined && this.#random() >= rule.share) return false
    rule.left -= 1
    return true
  }

  #holdBack(symbol: string, frame: TradeFrame, by: number): void {
    const held = this.#heldBack.get(symbol)
    if (held) held.push({ frame, after: by })
    else this.#heldBack.set(symbol, [{ frame, after: by }])
  }

  /** `passed` frames have gone by; those that have waited long enough follow. */
  #release(symbol: string, sent: TradeFrame[], passed: number): void {
    const held = this.#heldBack.get(symbol)
    if (!held) return
    for (const entry of held) entry.after -= passed
    for (const entry of held) if (entry.after <= 0) sent.push(entry.frame)
    const waiting = held.filter(entry => entry.after > 0)
    if (waiting.length > 0) this.#heldBack.set(symbol, waiting)
    else this.#heldBack.delete(symbol)
  }
}

/** The text of a frame, broken in its way. */
export function textOfTradeFrame(frame: TradeFrame, symbol: string, eventTime: number, factor: TimeFactor): string {
  const text = tradeFrame(symbol, frame.trade, eventTime, factor)
  const { malformed } = frame
  switch (malformed) {
    case undefined:
      return text
    case 'invalid-json':
      return text.slice(0, text.indexOf(',"q"'))
    case 'wrong-types':
      return JSON.stringify({ ...JSON.parse(text), t: String(frame.trade.tradeId), p: null, m: 'yes' })
    case 'numbers':
      return JSON.stringify({ ...JSON.parse(text), p: Number(frame.trade.price), q: Number(frame.trade.quantity) })
    case 'missing-field':
      return JSON.stringify({ ...JSON.parse(text), T: undefined })
    case 'unknown-event':
      return JSON.stringify({ ...JSON.parse(text), e: 'tradeOfTomorrow' })
    default:
      return malformed satisfies never
  }
}
