import type { RestLimits } from './rest-gate.ts'
import type { SeededMarketOptions } from './seeded-market.ts'
import type { HubLimits } from './stream-hub.ts'

export interface ExchangeSimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** A seeded market; what is not said is as in `seededDefaults`. */
  readonly market?: Partial<SeededMarketOptions>
  /** Replays a file instead. `symbol` is needed where the file does not name it; else it picks one. */
  readonly recording?: { readonly path: string; readonly symbol?: string }
  /**
   * A recording always has a virtual clock, from its first trade on. A seeded market has one where `startTime` is given, and
   * the wall's otherwise.
   */
  readonly clock?: {
    /** Times as fast as the wall's; Infinity plays as fast as the sockets drain. Default 1. */
    readonly speed?: number
    /** ms; of a seeded market only. */
    readonly startTime?: number
    /** Stand still until the first client wants trades. Default true for recordings, false for seeded markets. */
    readonly hold?: boolean
  }
  readonly limits?: Partial<HubLimits & RestLimits>
}

/** A market for a developer's machine: three symbols, fifty trades a second. */
export const seededDefaults: SeededMarketOptions = {
  symbols: ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT'],
  seed: 1,
  genesisTime: Date.UTC(2025, 0, 1),
  tradesPerSecond: 50,
  startTradeId: 1,
  silentMinuteShare: 0,
  burstiness: 1,
  lateShare: 0,
}

/** As the exchange documents them, but for the send buffer and the refusals, of which it says nothing. */
export const limitDefaults: HubLimits & RestLimits = {
  pingIntervalMs: 20_000,
  pongTimeoutMs: 60_000,
  lifetimeMs: 86_400_000,
  clientMessagesMax: 5,
  connectionsMax: 300,
  sendBufferBytesMax: 33_554_432,
  weightMax: 6000,
  refusalsMax: 10,
  banMs: 120_000,
}
