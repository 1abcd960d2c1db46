/** Numbers that a seed decides, so that a run's faults can be drawn again. */
export interface Random {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
  /** One of `values`, which are not empty. */
  pick<Value>(values: readonly Value[]): Value
}

/** Mulberry32: 32 bits of state are plenty for a few hundred draws. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return { integer, pick: values => values[integer(0, values.length - 1)]! }
}
