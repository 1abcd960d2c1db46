import type { ScaleContinuousNumeric } from 'd3-scale'
import type { Axis } from './curve.ts'

export interface TickOptions {
  readonly axis: Axis
  readonly scale: ScaleContinuousNumeric<number, number>
  /** Of the points on this axis. */
  readonly values: readonly number[]
  /** Pixels between two labels at least. */
  readonly apartMin: number
  /** Where few values were measured, these are the ticks. */
  readonly ownValues: boolean
}

/** Mantissas of a logarithmic axis, from the finest on. */
const MANTISSAS = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]
const LINEAR_TICKS = [8, 6, 4, 3, 2]

/** As many values as can be labelled without running into each other. */
export function ticksOf({ axis, scale, values, apartMin, ownValues }: TickOptions): number[] {
  const distinct = [...new Set(values)].sort((a, b) => a - b)
  const candidates = [
    ...(ownValues ? [distinct] : []),
    ...(axis.log === true
      ? MANTISSAS.map(mantissas => logTicks(scale.domain() as [number, number], mantissas))
      : LINEAR_TICKS.map(count => scale.ticks(count))),
  ]
  const hasRoom = (ticks: readonly number[]) =>
    ticks.every((tick, index) => index === 0 || Math.abs(scale(tick) - scale(ticks[index - 1]!)) >= apartMin)
  return candidates.find(ticks => ticks.length > 0 && hasRoom(ticks)) ?? [distinct[0]!]
}

function logTicks([from, to]: readonly [number, number], mantissas: readonly number[]): number[] {
  const ticks: number[] = []
  for (let exponent = Math.floor(Math.log10(from)); exponent <= Math.ceil(Math.log10(to)); exponent++) {
    for (const mantissa of mantissas) {
      // By way of text: 10 ** -3 * 3 is not the number 0.003.
      const tick = Number(`${mantissa}e${exponent}`)
      if (tick >= from && tick <= to) ticks.push(tick)
    }
  }
  return ticks
}

/** `0.35`, `1,500`, `20k`, `3.6M`: three digits that count. */
export function numberLabel(value: number): string {
  const size = Math.abs(value)
  if (size >= 1_000_000) return `${short(value / 1_000_000)}M`
  if (size >= 10_000) return `${short(value / 1_000)}k`
  if (size >= 1_000) return Math.round(value).toLocaleString('en-US')
  return short(value)
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
