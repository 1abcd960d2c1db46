import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchProcess } from '../../harness/bench-process.ts'
import type { Heard } from '../fan-out/client-process.ts'
import type { ServerKind } from '../fan-out/measured-server.ts'
import { ServedMarket } from '../fan-out/served-market.ts'

export interface StuckClients {
  /** Clients that never read. */
  readonly stuck: number
  /** Others beside them. */
  readonly reading: number
  /** Of the one symbol that all follow. */
  readonly updates: number
  readonly tradesPerSecond: number
  readonly warmUpSeconds: number
}

/** Memory of the server, in bytes, and what the others noticed. */
export interface StuckResult {
  readonly before: number
  readonly after: number
  readonly highest: number
  readonly p99Ms: number
  /** Clients that never read and were let go. */
  readonly ended: number
}

/** How often memory is looked at. */
const STEP_S = 0.5
/** Clients that are told nothing for so long have been told everything. */
const QUIET_MS = 500

/** What clients that never read cost a server of this kind. */
export async function costOfStuckClients(kind: ServerKind, options: StuckClients): Promise<StuckResult> {
  const { stuck, reading, updates, tradesPerSecond, warmUpSeconds } = options
  await using market = await ServedMarket.open(kind, { symbols: 1 })
  const listening = { streamsPerConnection: 1, symbolsPerStream: 1 }
  await using readers = await market.listen({ ...listening, streams: reading, reads: true })
  await market.trade(tradesPerSecond)
  await sleep(warmUpSeconds * 1_000)
  await market.stop()
  await untilQuiet(readers)
  const before = market.rssBytes
  await using others = await market.listen({ ...listening, streams: stuck, reads: false })
  await market.trade(tradesPerSecond)
  let highest = before
  let p99Ms = 0
  for (let made = 0; made < updates; ) {
    const step = await market.measure(readers, STEP_S)
    made += step.trades
    highest = Math.max(highest, step.serverRssBytes)
    p99Ms = Math.max(p99Ms, step.p99Ms ?? 0)
  }
  await market.stop()
  await untilQuiet(readers)
  const after = market.rssBytes
  const { ended } = await others.ask<Heard>('heard')
  return { before, after, highest: Math.max(highest, after), p99Ms, ended }
}

async function untilQuiet(clients: BenchProcess): Promise<void> {
  const told = async () => (await clients.ask<Heard>('heard')).told
  for (let last = -1, now = await told(); now !== last; now = await told()) {
    last = now
    await sleep(QUIET_MS)
  }
}
