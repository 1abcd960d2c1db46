import type { Rate } from './token-bucket.ts'

/** What the server grants to connections before any call is looked at, and to calls whoever makes them. */
export interface ServerLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** What one address may begin: a call takes one, a connection CONNECTION_COST. */
  readonly addressRate: Rate
  /** Bytes that one connection may send us. */
  readonly receivedBytesRate: Rate
  /** From accepting a connection to its first bytes of HTTP/2; with TLS the handshake is part of it. */
  readonly establishTimeoutMs: number
  readonly receivedMessageBytesMax: number
  readonly sentMessageBytesMax: number
  readonly callsPerConnectionMax: number
  readonly sessionMemoryMaxMb: number
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
  readonly connectionAgeMs: number
  /** Calls of a connection that has come of age may go on for so long. */
  readonly connectionAgeGraceMs: number
  readonly connectionIdleMs: number
}

/** A connection costs us what ten calls do (about 1 ms with TLS, where a call that is refused takes 0.1 ms). */
export const CONNECTION_COST = 10

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  // Some 30 KiB each while they are quiet.
  connectionsMax: 10_000,
  // A thousand clients behind one address, each with two connections for a moment when they move.
  connectionsPerAddressMax: 2_000,
  // All of these may come back at once (2,000 connections with a call each are 22,000); a flood from one address then gets 1,000
  // calls a second, some 10 % of a core.
  addressRate: { perSecond: 1_000, burst: 30_000 },
  // Clients send requests, window updates and answers to pings: a thousandth of this. A megabyte of resets is 20,000 of them.
  receivedBytesRate: { perSecond: 256 * 1024, burst: 8 * 1024 * 1024 },
  establishTimeoutMs: 10_000,
  // Positions of 200 symbols in 7 intervals are 64 KiB, with their corrections some more.
  receivedMessageBytesMax: 256 * 1024,
  // A page of 1,000 bars is some 200 KiB, a streamed message at most 1 MiB.
  sentMessageBytesMax: 4 * 1024 * 1024,
  callsPerConnectionMax: 100,
  // What nghttp2 may hold for one connection; grpc-js leaves it unlimited.
  sessionMemoryMaxMb: 16,
  // A client that is gone without a word is noticed after 30 s.
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  // A client that is told to connect again asks for the name again and finds the edges that are new. grpc-js spreads it by ±10 %.
  connectionAgeMs: 20 * 60_000,
  // Longer than any stream lives at an edge, so that this never cuts one.
  connectionAgeGraceMs: 40 * 60_000,
  connectionIdleMs: 5 * 60_000,
}
