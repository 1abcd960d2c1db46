import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerKind } from '../fan-out/measured-server.ts'
import { ServedMarket } from '../fan-out/served-market.ts'

export interface IdleStreams {
  readonly streams: number
  readonly streamsPerConnection: number
}

/** What a server needs for its first streams is not theirs: code, and the room in which garbage gathers. */
const FIRST_STREAMS = 200
const SYMBOLS = 50
/** After the last stream has begun. */
const SETTLE_MS = 500

/** Memory by which a server of this kind grows for each stream that is told nothing, in bytes. */
export async function bytesOfIdleStream(kind: ServerKind, options: IdleStreams): Promise<number> {
  const { streams, streamsPerConnection } = options
  await using market = await ServedMarket.open(kind, { symbols: SYMBOLS })
  const listening = { streamsPerConnection, symbolsPerStream: 1, reads: true }
  await using _first = await market.listen({ ...listening, streams: FIRST_STREAMS })
  await sleep(SETTLE_MS)
  const before = market.rssBytes
  await using _rest = await market.listen({ ...listening, streams })
  await sleep(SETTLE_MS)
  return (market.rssBytes - before) / streams
}
