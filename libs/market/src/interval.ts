/** The length of a bar. Aligned to UTC: a bar's openTime is a multiple of intervalMs since the epoch. */
export interface Interval {
  readonly name: string
  readonly intervalMs: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Every interval that can be configured, shortest first. Weeks and months are not multiples of a day from the epoch. */
export const KNOWN_INTERVALS: readonly Interval[] = [
  { name: '1s', intervalMs: SECOND },
  { name: '1m', intervalMs: MINUTE },
  { name: '3m', intervalMs: 3 * MINUTE },
  { name: '5m', intervalMs: 5 * MINUTE },
  { name: '15m', intervalMs: 15 * MINUTE },
  { name: '30m', intervalMs: 30 * MINUTE },
  { name: '1h', intervalMs: HOUR },
  { name: '2h', intervalMs: 2 * HOUR },
  { name: '4h', intervalMs: 4 * HOUR },
  { name: '6h', intervalMs: 6 * HOUR },
  { name: '8h', intervalMs: 8 * HOUR },
  { name: '12h', intervalMs: 12 * HOUR },
  { name: '1d', intervalMs: DAY },
]

export const DEFAULT_INTERVALS = ['1s', '1m', '5m', '15m', '1h', '4h', '1d']

const BY_NAME = new Map(KNOWN_INTERVALS.map(interval => [interval.name, interval]))

/** The interval called `name`, or undefined. */
export function findInterval(name: string): Interval | undefined {
  return BY_NAME.get(name)
}

/**
 * The interval called `name`.
 * @throws RangeError naming the known ones
 */
export function intervalOf(name: string): Interval {
  const interval = BY_NAME.get(name)
  if (interval === undefined)
    throw new RangeError(`unknown interval "${name}"; known are ${KNOWN_INTERVALS.map(i => i.name).join(', ')}`)
  return interval
}

/**
 * `names` as intervals, shortest first, without repeats.
 * @throws RangeError for an unknown one, an empty list, or a list without 1m, from which larger bars can always be merged
 */
export function intervalsOf(names: readonly string[]): readonly Interval[] {
  const intervals = [...new Set(names)].map(intervalOf).sort((a, b) => a.intervalMs - b.intervalMs)
  if (!intervals.some(interval => interval.name === '1m')) throw new RangeError('the intervals must contain 1m')
  return intervals
}

/** The names in a comma-separated list, "1s, 1m". */
export function namesOf(text: string): string[] {
  return text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}

/**
 * Start, inclusive, of the bar of `interval` that `time` falls into. By division, which is exact for integers below 2^53: the remainder of
 * numbers above 2^31 is a call into C.
 */
export function openTimeOf(interval: Interval, time: number): number {
  return Math.floor(time / interval.intervalMs) * interval.intervalMs
}
