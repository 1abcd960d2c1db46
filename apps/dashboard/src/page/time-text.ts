/** Moments as the page writes them: UTC, as short as the interval allows. */

/** When a bar of `interval` begins: "2026-04-01", "2026-04-01 12:05", "2026-04-01 12:05:07". */
export function timeText(time: number, interval: string): string {
  const [date, clock] = splitOf(time)
  if (interval.endsWith('d')) return date
  return `${date} ${interval.endsWith('s') ? clock : clock.slice(0, 5)}`
}

/** "12:05:07" */
export function clockText(time: number): string {
  return splitOf(time)[1]
}

function splitOf(time: number): [date: string, clock: string] {
  const text = new Date(time).toISOString()
  return [text.slice(0, 10), text.slice(11, 19)]
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time in its two largest units: "12 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function ageText(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return pair(ms, MINUTE, 'min', SECOND, 's')
  if (ms < DAY) return pair(ms, HOUR, 'h', MINUTE, 'min')
  return pair(ms, DAY, 'd', HOUR, 'h')
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}
