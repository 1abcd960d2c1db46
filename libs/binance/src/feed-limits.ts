/** Everything about a feed that has a number. Tests shorten times; nothing else overrides more than trade-feed's options. */
export interface FeedLimits {
  /** No message for so long and a socket is dead. The pulse stream says something every second, so three are missing. */
  readonly silenceMaxMs: number
  /** A socket is replaced at this age at the latest, up to a tenth earlier. The exchange ends it at 24 h. */
  readonly ageMaxMs: number
  /** From dialling to the open WebSocket. A healthy one takes a second at most, with DNS and TLS. */
  readonly connectMaxMs: number
  /** From a SUBSCRIBE to its answer. Answers come within 100 ms; one that is lost means that symbols are missing. */
  readonly answerMaxMs: number
  /**
   * Between two SUBSCRIBEs of a connection. The exchange ends a connection at more than five messages a second, pongs included,
   * and bans repeaters: this makes four at most, and leaves one for a pong.
   */
  readonly subscribeEveryMs: number
  /**
   * Both sockets are read until the old one has passed the moment at which the new one came alive by so much, on the exchange's
   * clock. The slowest frame ever recorded came 300 ms late.
   */
  readonly overlapMs: number
  /** The overlap ends at the latest after so long, also when the old socket says nothing more. */
  readonly overlapMaxMs: number
  /** A socket that lived at least so long was a success: the next failure is the first in a row. */
  readonly stableAfterMs: number
  /** Dials within five minutes. Half of what the exchange grants an address, where a standby may do the same. */
  readonly connectionsMax: number
  readonly connectionsWindowMs: number
  /** Events that wait for the consumer, some 10 MB. At 1,000 trades a second it may be away for most of a minute. */
  readonly eventsWaitingMax: number
}

export const FEED_LIMITS: FeedLimits = {
  silenceMaxMs: 3_000,
  ageMaxMs: 23 * 3_600_000,
  connectMaxMs: 10_000,
  answerMaxMs: 10_000,
  subscribeEveryMs: 300,
  overlapMs: 1_000,
  overlapMaxMs: 10_000,
  stableAfterMs: 60_000,
  connectionsMax: 150,
  connectionsWindowMs: 300_000,
  eventsWaitingMax: 50_000,
}

/** Streams of one connection, a limit of the exchange. */
export const STREAMS_MAX = 1_024

/**
 * Streams in one SUBSCRIBE. The exchange falls silent on a frame of more than 4,096 bytes (binance-connector-rust issue 27); a
 * hundred names of the greatest length, 30, stay below it.
 */
export const STREAMS_PER_SUBSCRIBE_MAX = 100

/** How often a refused SUBSCRIBE is sent. A name that the exchange does not want stays unwanted; a fault of its own passes. */
export const SUBSCRIBE_TRIES_MAX = 3

/** Largest message. A trade has 200 bytes and a kline 400; the bound only keeps a mad server from filling our memory. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024

/** How much of a malformed frame is passed on. */
export const SAMPLE_LENGTH_MAX = 200
