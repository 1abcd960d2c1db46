/** A well mixed 32 bit number of three, so that any moment of the market is reached without passing the ones before. */
export function hash(a: number, b: number, c: number): number {
  let mixed = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ b, 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ c, 0x27d4eb2f)
  mixed ^= mixed >>> 16
  mixed = Math.imul(mixed, 0x7feb352d)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** FNV-1a over UTF-16 units: gives a symbol its own stream of chance. */
export function hashText(text: string): number {
  let mixed = 0x811c9dc5
  for (let index = 0; index < text.length; index++) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193)
  return mixed >>> 0
}

/** Like `hash`, as a number in [0, 1). */
export function chance(a: number, b: number, c: number): number {
  return hash(a, b, c) / 4294967296
}

/** mulberry32: a sequence of numbers in [0, 1), the same for the same start. */
export function createRandom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
