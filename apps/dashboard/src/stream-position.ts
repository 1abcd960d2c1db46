/**
 * Where a page stands, as the id of its events: for each series in the order of the address the openTime of the newest bar told, in
 * seconds, base 36; `-` where none was. So any server can go on from it, also one that was started since.
 */

/** Open times in ms → `1a2b3c.-.4d5e6f`. Bars open at whole seconds. */
export function idOfPositions(openTimes: readonly (number | undefined)[]): string {
  return openTimes.map(time => (time === undefined ? '-' : (time / SECOND).toString(36))).join('.')
}

/** The inverse, for `count` series; undefined for a text that no server of ours has sent for them. */
export function positionsOfId(id: string, count: number): (number | undefined)[] | undefined {
  const parts = id.split('.', count + 1)
  if (parts.length !== count || !parts.every(part => PART.test(part))) return undefined
  return parts.map(part => (part === '-' ? undefined : Number.parseInt(part, 36) * SECOND))
}

const SECOND = 1_000

/** Seven digits reach to the year 4453. */
const PART = /^(-|[0-9a-z]{1,7})$/
