import type { Machine } from '../harness/machine.ts'

/** What a plot shows, as it lies beside it in docs/bench: `x.json` is drawn as `x.svg`. */
export interface Curve {
  /** What is to be seen, as a sentence. */
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  readonly machine: Machine
  /** The command that measured it, or how it was measured. */
  readonly how: string
}

export interface Axis {
  /** With the unit: `trades/s`, `µs CPU a trade`. */
  readonly label: string
  /** Equal ratios are equally far apart; all values are above zero. */
  readonly log?: boolean
}

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

export type Point = readonly [x: number, y: number]

/**
 * The curve of a data file; undefined when it is a file of another kind, without series.
 * @param name for the message
 * @throws TypeError when it lacks something
 */
export function curveOf(text: string, name: string): Curve | undefined {
  const data = JSON.parse(text) as Partial<Curve>
  if (data.series === undefined) return undefined
  const { title, x, y, series, machine, how } = data
  const isWhole = typeof title === 'string' && x?.label !== undefined && y?.label !== undefined && machine !== undefined
  if (!isWhole || typeof how !== 'string') throw new TypeError(`${name} needs title, x.label, y.label, machine and how`)
  if (series.length === 0) throw new TypeError(`${name} has no series`)
  for (const one of series) checkSeries(one, { x, y }, name)
  return { title, x, y, series, machine, how }
}

function checkSeries({ name, points }: Series, axes: { x: Axis; y: Axis }, file: string): void {
  if (points.length === 0) throw new TypeError(`${file}: series "${name}" has no points`)
  for (const point of points) {
    for (const [index, axis] of [axes.x, axes.y].entries()) {
      const value = point[index]
      if (Number.isFinite(value) && (axis.log !== true || value! > 0)) continue
      const wanted = axis.log === true ? 'a number above zero' : 'a number'
      throw new TypeError(`${file}: series "${name}" has ${value} for "${axis.label}", which must be ${wanted}`)
    }
  }
}
