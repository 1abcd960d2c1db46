/** A process of the benchmark: many StreamBars calls that count what they are sent. */
import { answerParent } from '../../harness/bench-process.ts'
import { RawConnection } from './raw-connection.ts'
import { Tally } from './tally.ts'

const PATH = '/chart.v1.ChartService/StreamBars'
const EVERY_TRADE = 1
/** Connections that are opened at a time: more would overflow the backlog of the server's port. */
const OPENING_MAX = 50

export interface OpenStreams {
  readonly port: number
  readonly streams: number
  readonly streamsPerConnection: number
  /** Stream n follows symbol n and those behind it, and from the beginning again when there are no more. */
  readonly symbols: readonly string[]
  /** 1 by default. */
  readonly symbolsPerStream?: number
  readonly interval: string
  readonly reads: boolean
}

export interface Heard {
  /** Streams whose calls the server has taken. */
  readonly begun: number
  /** Streams that have been sent something. */
  readonly heard: number
  /** Streams and connections that have ended. */
  readonly ended: number
  /** Updates ever, with those merged into them. */
  readonly told: number
}

const tally = new Tally()
let begun = 0
let heard = 0
let ended = 0

answerParent({
  async open(options: OpenStreams): Promise<void> {
    const { streams, streamsPerConnection } = options
    const firsts: number[] = []
    for (let first = 0; first < streams; first += streamsPerConnection) firsts.push(first)
    for (let at = 0; at < firsts.length; at += OPENING_MAX) {
      await Promise.all(firsts.slice(at, at + OPENING_MAX).map(first => openConnection(first, options)))
    }
  },
  heard: (): Heard => ({ begun, heard, ended, told: tally.told }),
  take: () => tally.take(),
})

async function openConnection(first: number, options: OpenStreams): Promise<void> {
  const { port, streams, streamsPerConnection, symbols, symbolsPerStream = 1, interval, reads } = options
  const heardStreams = new Set<number>()
  const connection = await RawConnection.open({
    port,
    reads,
    onBegin: () => begun++,
    onMessage(stream, bytes, from, to) {
      if (!heardStreams.has(stream)) {
        heardStreams.add(stream)
        heard++
      }
      tally.add(bytes, from, to, Date.now())
    },
    onEnd: () => ended++,
  })
  for (let stream = first; stream < Math.min(streams, first + streamsPerConnection); stream++) {
    const followed = Array.from({ length: symbolsPerStream }, (_, more) => symbols[(stream + more) % symbols.length]!)
    connection.call(PATH, requestOf(followed, interval))
  }
}

/** A `chart.v1.StreamBarsRequest`; texts are shorter than 128 bytes. */
function requestOf(symbols: readonly string[], interval: string): Uint8Array {
  const text = (field: number, value: string) => [(field << 3) | 2, value.length, ...Buffer.from(value, 'latin1')]
  return Uint8Array.from([...symbols.flatMap(symbol => text(1, symbol)), ...text(2, interval), 3 << 3, EVERY_TRADE])
}
