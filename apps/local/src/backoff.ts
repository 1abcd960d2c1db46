const firstMs = 250
const lastMs = 10_000

/**
 * The pause before a process that failed `failures` times in a row is started again: 250 ms, doubling up to 10 s.
 * The first is short, since a process that was killed has nothing wrong with it; the last bounds what a process that
 * cannot start costs the machine.
 */
export function backoffMs(failures: number): number {
  return Math.min(firstMs * 2 ** Math.max(0, failures - 1), lastMs)
}
