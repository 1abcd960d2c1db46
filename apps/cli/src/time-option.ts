import { UsageError } from './command.ts'

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

/**
 * Milliseconds of a time such as 2026-04-01, 2026-04-01T12:30 or 2026-04-01T12:30:00Z; UTC unless it says otherwise.
 * @throws UsageError for one that is missing or cannot be read
 */
export function timeOfOption(option: string, text: string | undefined): number {
  if (text === undefined) throw new UsageError(`${option} is missing; give a time such as 2026-04-01T12:30`)
  const hasZone = /(Z|[+-]\d{2}:\d{2})$/.test(text.slice('2026-04-01'.length))
  const time = ISO_TIME.test(text) ? Date.parse(hasZone || !text.includes('T') ? text : `${text}Z`) : Number.NaN
  if (Number.isNaN(time) || time < 0) throw new UsageError(`${option} "${text}" is no time such as 2026-04-01T12:30`)
  return time
}
