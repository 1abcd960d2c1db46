import type { Comparison } from './stage.ts'

/**
 * Compares what a second of CPU does. For ways that keep one core busy and nothing else: what else happens on the machine changes it less
 * than it changes the time.
 * @param atLeast how many times better than `against` the design is meant to be
 */
export function byCpu(variant: string, against: string, atLeast?: number): Comparison {
  return { variant, against, figure: 'perCpuSecond', ...(atLeast !== undefined && { atLeast }) }
}
