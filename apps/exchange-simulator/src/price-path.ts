import { chance } from './random.ts'

/**
 * A price over time that needs no memory: value noise in octaves (periods of 1 s, 4 s, 16 s … 48 days), each as strong as
 * the root of its period, which is how a random walk looks. The price of any second costs 24 hashes.
 */
const octaves = Array.from({ length: 12 }, (_, index) => {
  const periodSec = 4 ** index
  // 2 % over a day, a little less than Bitcoin's usual.
  return { periodSec, strength: 0.02 * Math.sqrt(periodSec / 86_400) }
})

/** The factor by which the start price is multiplied at a second (counted since the epoch). Always positive. */
export function priceFactor(symbolSeed: number, second: number): number {
  let logarithm = 0
  for (let index = 0; index < octaves.length; index++) {
    const { periodSec, strength } = octaves[index]!
    const at = second / periodSec
    const cell = Math.floor(at)
    const part = at - cell
    // Smoothstep: the slope is zero at the lattice points, so no kink shows there.
    const ease = part * part * (3 - 2 * part)
    const left = chance(symbolSeed, cell, index + 101)
    const right = chance(symbolSeed, cell + 1, index + 101)
    logarithm += strength * (2 * (left + (right - left) * ease) - 1)
  }
  return Math.exp(logarithm)
}
