import type { Stage } from '../../harness/stage.ts'
import { fanOutStage } from './fan-out-stage.ts'

/**
 * A thousand trades of each symbol a second, as of the busiest ones in a busy minute: what arrives in a turn of the event loop is some ten
 * trades of a symbol, and a server that writes each of them to each stream has more to do than a core can.
 */
const LOAD = { streams: 200, symbols: 10, tradesPerSecond: 10_000 }
const SECONDS = 2.5

export const ownConnectionsStage: Stage = fanOutStage({
  name: 'fan-out',
  load: { ...LOAD, streamsPerConnection: 1 },
  seconds: SECONDS,
  cpuAtLeast: 4.5,
})

export const sharedConnectionsStage: Stage = fanOutStage({
  name: 'fan-out-shared',
  load: { ...LOAD, streamsPerConnection: 20 },
  seconds: SECONDS,
  cpuAtLeast: 4.5,
})
