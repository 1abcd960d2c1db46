import type { Sample, Stage } from '../../harness/stage.ts'
import type { ServerKind } from '../fan-out/measured-server.ts'
import { bytesOfIdleStream } from './idle-streams.ts'
import { costOfStuckClients } from './stuck-clients.ts'

const STREAMS = 1_000
const STREAMS_PER_CONNECTION = 20
const STUCK = { stuck: 20, reading: 2, tradesPerSecond: 4_000, warmUpSeconds: 1 }
const UPDATES = 20_000
const MB = 1024 ** 2
/** Growth below this is the allocator's. */
const GROWTH_MIN_MB = 1

const EDGE = 'edge'
const FLOOR = 'http2'
const NAIVE = 'grpc-js, an object for each stream and update'
const KINDS: ReadonlyMap<string, ServerKind> = new Map([
  [EDGE, 'edge'],
  [FLOOR, 'http2-turn'],
  [NAIVE, 'naive'],
])

/** Each run has servers of its own: what memory one has given back is not known. */
export const subscribersStage: Stage = {
  name: 'subscribers',
  job: `Keeps ${STREAMS} idle streams, and tells ${STUCK.stuck} clients that never read ${UPDATES} updates each.`,
  figures: [
    { name: 'ownKb', unit: 'KiB an idle stream on its own connection', better: 'less' },
    { name: 'sharedKb', unit: `KiB an idle stream, ${STREAMS_PER_CONNECTION} a connection`, better: 'less' },
    { name: 'stuckMb', unit: 'MB grown by clients that never read', better: 'less' },
  ],
  variants: [
    { name: EDGE, role: 'ours' },
    { name: FLOOR, role: 'floor' },
    { name: NAIVE, role: 'instead' },
  ],
  comparisons: [
    { variant: EDGE, against: FLOOR, figure: 'ownKb' },
    { variant: EDGE, against: NAIVE, figure: 'ownKb' },
    { variant: EDGE, against: FLOOR, figure: 'sharedKb' },
    { variant: EDGE, against: NAIVE, figure: 'sharedKb' },
    // 20 MB where the naive server, which keeps everything, needs 100.
    { variant: EDGE, against: NAIVE, figure: 'stuckMb', atLeast: 5 },
  ],
  open: async size => ({ run: variant => run(variant, size), [Symbol.asyncDispose]: async () => undefined }),
}

async function run(variant: string, size: number): Promise<Sample> {
  const kind = KINDS.get(variant)!
  const streams = Math.round(STREAMS * size)
  const own = await bytesOfIdleStream(kind, { streams, streamsPerConnection: 1 })
  const shared = await bytesOfIdleStream(kind, { streams, streamsPerConnection: STREAMS_PER_CONNECTION })
  const memory = { ownKb: own / 1024, sharedKb: shared / 1024 }
  // The floor does not look whether anyone reads: what it would grow by tells nothing.
  if (variant === FLOOR) return memory
  const { before, highest } = await costOfStuckClients(kind, { ...STUCK, updates: UPDATES * size })
  return { ...memory, stuckMb: Math.max(GROWTH_MIN_MB, (highest - before) / MB) }
}
