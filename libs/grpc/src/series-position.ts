import type { BarState } from '@chart/market'
import { timeOfTimestamp } from './bar-message.ts'
import { MessageWriter } from './message-writer.ts'
import type { BarVersionMessage, SeriesPositionMessage } from './messages.ts'

/** `chart.v1.SeriesPosition`, how far a client has come in one series: both its ends. */
export interface SeriesPosition {
  readonly symbol: string
  readonly interval: string
  readonly newest: BarVersion
  readonly corrected: readonly BarVersion[]
}

/** Which version of a bar. */
export interface BarVersion {
  readonly openTime: number
  readonly state: BarState
  readonly revision: number
  /** −1 in a bar without trades. */
  readonly lastTradeId: number
}

/** `StreamBarsResponse.positions`. */
const POSITIONS_FIELD = 2

const STATE_NUMBERS: Record<BarState, number> = { live: 1, closed: 2 }

/** Positions as they stand in a `StreamBarsResponse`; can be put behind framed events. */
export function framePositions(positions: readonly SeriesPosition[]): Uint8Array {
  return Buffer.concat(
    positions.map(({ symbol, interval, newest, corrected }) => {
      const versions = [newest, ...corrected].map(encodeVersion)
      const writer = new MessageWriter()
      writer.text(1, symbol)
      writer.text(2, interval)
      for (const [index, version] of versions.entries()) writer.bytes(index === 0 ? 3 : 4, version)
      return writer.finishAs(POSITIONS_FIELD)
    }),
  )
}

function encodeVersion({ openTime, state, revision, lastTradeId }: BarVersion): Uint8Array {
  const writer = new MessageWriter()
  writer.time(1, openTime)
  writer.integer(2, STATE_NUMBERS[state])
  writer.integer(3, revision)
  writer.integer(4, lastTradeId)
  return writer.finish()
}

/** The position that a received message holds; undefined when it names no newest bar. */
export function positionOfMessage(message: SeriesPositionMessage): SeriesPosition | undefined {
  const newest = message.newest === null ? undefined : versionOfMessage(message.newest)
  if (newest === undefined) return undefined
  const corrected = message.corrected.flatMap(one => versionOfMessage(one) ?? [])
  return { symbol: message.symbol, interval: message.interval, newest, corrected }
}

function versionOfMessage(message: BarVersionMessage): BarVersion | undefined {
  const openTime = timeOfTimestamp(message.openTime)
  if (openTime === undefined || message.state === 'BAR_STATE_UNSPECIFIED') return undefined
  const state = message.state === 'BAR_STATE_CLOSED' ? 'closed' : 'live'
  return { openTime, state, revision: message.revision, lastTradeId: message.lastTradeId }
}
