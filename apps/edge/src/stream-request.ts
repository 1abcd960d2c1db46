import {
  positionOfMessage,
  RpcError,
  type SeriesPosition,
  type SeriesPositionMessage,
  type StreamBarsRequest,
} from '@chart/grpc'
import { type Interval, intervalOf } from '@chart/market'
import type { EdgeLimits } from './limits.ts'
import { checkInterval, checkList, checkSymbol, checkTime, type Served } from './request-check.ts'
import { seriesKeyOf } from './series-event.ts'
import type { StreamMode } from './subscriber-group.ts'

/** One series of a call, and where the call begins in it. */
export interface WantedSeries {
  readonly key: string
  readonly symbol: string
  readonly tag: string
  readonly interval: Interval
  /** Where the client stands. */
  readonly position: SeriesPosition | undefined
}

/** A StreamBars call whose request is understood. */
export interface StreamPlan {
  readonly mode: StreamMode
  readonly symbols: readonly { symbol: string; tag: string }[]
  readonly series: readonly WantedSeries[]
  /** No closed bar that opens before it is told; undefined: the call begins with the live bars, or with its positions. */
  readonly startTime: number | undefined
  /** At least so long between two live bars of a series; 0: no limit. */
  readonly updateGapMs: number
}

const MODES: Record<StreamBarsRequest['mode'], StreamMode> = {
  STREAM_MODE_UNSPECIFIED: 'every-trade',
  STREAM_MODE_EVERY_TRADE: 'every-trade',
  STREAM_MODE_LATEST: 'latest',
  STREAM_MODE_CLOSED: 'closed',
}

const RATE_MIN = 0.1
const RATE_MAX = 1_000

/** Corrections in one position: what the manual says is enough, and as many again. */
const CORRECTED_MAX = 128

/** @throws RpcError for a request that cannot be served, naming the field */
export function planStream(request: StreamBarsRequest, served: Served, limits: EdgeLimits): StreamPlan {
  const symbols = checkList(request.symbols, 'symbols', limits.symbolsMax, (symbol, field) =>
    checkSymbol(symbol, served, field),
  )
  const intervals = checkList(request.intervals, 'intervals', served.intervals.size, (interval, field) =>
    checkInterval(interval, served, field),
  ).map(intervalOf)
  const updateGapMs = updateGapOf(request.maxUpdatesPerSecond)
  const mode = modeOf(request.mode, updateGapMs > 0)
  const startTime = checkTime(request.startTime, 'start_time')
  const wanted = symbols.flatMap(({ symbol, tag }) =>
    intervals.map(interval => ({ key: seriesKeyOf(symbol, interval.name), symbol, tag, interval })),
  )
  const positions = positionsOf(request.positions, new Map(wanted.map(({ key, interval }) => [key, interval])))
  const series = wanted.map(one => ({ ...one, position: positions.get(one.key) }))
  return { mode, symbols, series, startTime, updateGapMs }
}

function modeOf(mode: StreamBarsRequest['mode'], hasRate: boolean): StreamMode {
  if (hasRate) {
    if (mode === 'STREAM_MODE_UNSPECIFIED' || mode === 'STREAM_MODE_LATEST') return 'latest'
    throw new RpcError('INVALID_ARGUMENT', 'max_updates_per_second goes with mode STREAM_MODE_LATEST')
  }
  if (!Object.hasOwn(MODES, mode)) throw new RpcError('INVALID_ARGUMENT', 'mode is unknown')
  return MODES[mode]
}

function updateGapOf(rate: number): number {
  if (rate === 0) return 0
  if (rate >= RATE_MIN && rate <= RATE_MAX) return 1_000 / rate
  throw new RpcError(
    'INVALID_ARGUMENT',
    `max_updates_per_second is ${rate}; give ${RATE_MIN} to ${RATE_MAX}, or 0 for no limit`,
  )
}

function positionsOf(
  messages: readonly SeriesPositionMessage[],
  intervals: ReadonlyMap<string, Interval>,
): Map<string, SeriesPosition> {
  const positions = new Map<string, SeriesPosition>()
  for (const [index, message] of messages.entries()) {
    const field = `positions[${index}]`
    const key = seriesKeyOf(message.symbol, message.interval)
    const interval = intervals.get(key)
    if (interval === undefined) {
      throw new RpcError('INVALID_ARGUMENT', `${field} is of a symbol and interval that the call does not ask for`)
    }
    if (positions.has(key)) throw new RpcError('INVALID_ARGUMENT', `${field} is the second one of its series`)
    positions.set(key, checkPosition(message, interval, field))
  }
  return positions
}

function checkPosition(message: SeriesPositionMessage, interval: Interval, field: string): SeriesPosition {
  const position = positionOfMessage(message)
  if (position === undefined) {
    throw new RpcError('INVALID_ARGUMENT', `${field}.newest is missing, or its open_time or state is`)
  }
  if (position.corrected.length > CORRECTED_MAX || position.corrected.length < message.corrected.length) {
    throw new RpcError(
      'INVALID_ARGUMENT',
      `${field}.corrected has more than ${CORRECTED_MAX} bars, or one without open_time or state`,
    )
  }
  checkOpenTime(position.newest.openTime, interval, `${field}.newest`)
  for (const [index, bar] of position.corrected.entries()) {
    checkOpenTime(bar.openTime, interval, `${field}.corrected[${index}]`)
  }
  return position
}

function checkOpenTime(openTime: number, { name, intervalMs }: Interval, field: string): void {
  // The exchange's own days and hours begin with the epoch's.
  if (Number.isSafeInteger(openTime) && openTime >= 0 && openTime % intervalMs === 0) return
  throw new RpcError('INVALID_ARGUMENT', `${field}.open_time is not one at which a bar of ${name} opens`)
}
