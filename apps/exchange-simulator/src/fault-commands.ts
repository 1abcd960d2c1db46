import type { Exchange } from './exchange.ts'
import type { RestGate } from './rest-gate.ts'
import { type FrameSelection, type MalformedKind, malformedKinds } from './trade-faults.ts'

/** Times an effect other than one on trade frames was commanded. */
export type CommandCounts = Record<'stall' | 'disconnect' | 'ageOut' | 'serverShutdown' | 'halt' | 'hole', number>

/**
 * Everything that can be made to go wrong, as the library and `POST /control/<fault>` offer it. Faults of frames take the
 * next frame when neither `count` nor `share` says more. Times ending in `Ms` are the wall's unless said otherwise.
 */
export class FaultCommands {
  readonly counts: CommandCounts = { stall: 0, disconnect: 0, ageOut: 0, serverShutdown: 0, halt: 0, hole: 0 }
  readonly #exchange: Exchange
  readonly #gate: RestGate
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(exchange: Exchange, gate: RestGate) {
    this.#exchange = exchange
    this.#gate = gate
  }

  /** Trade frames are not sent; REST has the trades. */
  drop(selection: FrameSelection = {}): void {
    this.#exchange.faults.add({ fault: 'drop' }, this.#checked(selection))
  }

  /** Trade frames are sent twice. */
  duplicate(selection: FrameSelection = {}): void {
    this.#exchange.faults.add({ fault: 'duplicate' }, this.#checked(selection))
  }

  /** Trade frames are sent after the next `by` (default 1) of their symbol. */
  reorder(selection: FrameSelection & { readonly by?: number } = {}): void {
    this.#exchange.faults.add({ fault: 'reorder', by: selection.by ?? 1 }, this.#checked(selection))
  }

  /** Trade frames are sent broken; default invalid JSON. */
  malformed(selection: FrameSelection & { readonly kind?: MalformedKind } = {}): void {
    const kind = selection.kind ?? 'invalid-json'
    if (!malformedKinds.includes(kind)) throw new RangeError(`kind ${kind}: wanted one of ${malformedKinds.join(', ')}`)
    this.#exchange.faults.add({ fault: 'malformed', kind }, this.#checked(selection))
  }

  /**
   * Sockets stay open and nothing comes, for `ms`; what would have come is lost. Pings are answered unless `pongs` is
   * false. `presentOnly` leaves connections made from now on alone.
   */
  stall(options: { readonly ms: number; readonly pongs?: boolean; readonly presentOnly?: boolean }): void {
    this.counts.stall += 1
    this.#exchange.hub.silence(options.ms, options.pongs ?? true, !options.presentOnly)
  }

  /** All sockets break off without a closing frame. */
  disconnect(): void {
    this.counts.disconnect += 1
    this.#exchange.hub.terminateAll()
  }

  /** All present sockets have reached their 24 hours. */
  ageOut(): void {
    this.counts.ageOut += 1
    this.#exchange.hub.closeAll(1008, 'connection has reached its age')
  }

  /** Announces the shutdown on all sockets, and closes those after `ms` (default 1000). */
  serverShutdown(options: { readonly ms?: number } = {}): void {
    this.counts.serverShutdown += 1
    const { hub } = this.#exchange
    const announced = [...hub.connections]
    const eventTime = this.#exchange.now()
    hub.broadcast('!serverShutdown', factor => [`{"e":"serverShutdown","E":${eventTime * factor}}`])
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      for (const connection of announced) connection.close(1001, 'server shutdown')
    }, options.ms ?? 1000)
    this.#timers.add(timer)
  }

  /** REST answers `status` for the next `count` requests, or for `ms`; default one request. */
  restStatus(options: {
    readonly status: number
    readonly count?: number
    readonly ms?: number
    readonly retryAfterSec?: number
  }): void {
    const { status, count, ms, retryAfterSec } = options
    if (!(status >= 400 && status <= 599)) throw new RangeError(`status ${status}: wanted 400 to 599`)
    this.#gate.fail({
      status,
      count: count ?? (ms === undefined ? 1 : Number.POSITIVE_INFINITY),
      ms: ms ?? Number.POSITIVE_INFINITY,
      retryAfterSec: retryAfterSec ?? 1,
    })
  }

  /** Trading stops: no trades, no klines, status HALT; for `ms` of the exchange's time, or until resumed. */
  halt(options: { readonly symbol: string; readonly ms?: number }): void {
    this.#exchange.halt(options.symbol, options.ms ?? Number.POSITIVE_INFINITY)
    this.counts.halt += 1
  }

  /** Trading goes on, with the id after the last. */
  resume(options: { readonly symbol: string }): void {
    this.#exchange.resume(options.symbol)
  }

  /** The exchange itself skips `count` ids (default 1): no one will ever have them. */
  hole(options: { readonly symbol: string; readonly count?: number }): void {
    this.#exchange.tape(options.symbol).skipIds(options.count ?? 1)
    this.counts.hole += 1
  }

  /** Ends every fault that lasts, and every halt. What has happened stays. */
  clear(): void {
    this.#exchange.faults.clear()
    this.#exchange.hub.silence(0, true, true)
    this.#exchange.resumeAll()
    this.#gate.clear()
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #checked(selection: FrameSelection): FrameSelection {
    if (selection.symbol !== undefined) this.#exchange.tape(selection.symbol)
    return selection
  }
}
