import type { Stage } from '../../harness/stage.ts'
import { fanOutStage } from './fan-out-stage.ts'

/**
 * How much cheaper the edge is than a server that writes each trade to each stream follows from how many updates a write carries. The rates
 * here are those at which it is some ten, on a machine that does nothing else: a thousand trades of each symbol a second on own connections. On
 * shared ones a turn of the event loop is shorter, and at that rate a write carried three and the edge was 3.9 times cheaper. Fewer trades,
 * and the difference goes: `npm run bench:fan-out` tells of other rates.
 */
const LOAD = { streams: 200, symbols: 10 }
const SECONDS = 2.5
const CPU_AT_LEAST = 4.5

export const ownConnectionsStage: Stage = fanOutStage({
  name: 'fan-out',
  load: { ...LOAD, streamsPerConnection: 1, tradesPerSecond: 10_000 },
  seconds: SECONDS,
  cpuAtLeast: CPU_AT_LEAST,
})

export const sharedConnectionsStage: Stage = fanOutStage({
  name: 'fan-out-shared',
  load: { ...LOAD, streamsPerConnection: 20, tradesPerSecond: 30_000 },
  seconds: SECONDS,
  cpuAtLeast: CPU_AT_LEAST,
})
