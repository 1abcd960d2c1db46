const LEVELS = '▁▂▃▄▅▆▇█'

/** As many as fit into a table beside the prices: half an hour of minutes. */
export const SPARKLINE_VALUES = 30

/**
 * The course of `values`, oldest first, one character each: the lowest of them at the bottom, the highest at the top. Values that are
 * all the same stand in the middle. For the eye alone, so numbers may be rounded.
 */
export function sparkline(values: readonly number[]): string {
  const low = Math.min(...values)
  const high = Math.max(...values)
  return values.map(value => LEVELS[levelOf(value, low, high)]!).join('')
}

function levelOf(value: number, low: number, high: number): number {
  if (high === low) return Math.floor(LEVELS.length / 2) - 1
  return Math.min(LEVELS.length - 1, Math.floor(((value - low) / (high - low)) * LEVELS.length))
}
