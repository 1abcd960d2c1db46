import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale'
import {
  line,
  symbol,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape'
import type { Axis, Curve, Point, Series } from './curve.ts'
import { numberLabel, ticksOf } from './ticks.ts'

const WIDTH = 640
const HEIGHT = 360
const LEFT = 58
const RIGHT = 22
const BOTTOM = 66
const ROW = 18
/** Letters of the title's row and of the text below the axis. */
const TITLE_LETTERS = 72
const NOTE_LETTERS = 118
/** Pixels of a letter of the legend, on average and rounded up. */
const LETTER = 6.6
const LEGEND_MARK = 26

/** Told apart by people who see few colours, and by their marks without any. */
const STYLES = [
  { colour: '#0072b2', mark: symbolCircle },
  { colour: '#d55e00', mark: symbolSquare },
  { colour: '#008a65', mark: symbolTriangle },
  { colour: '#b0508c', mark: symbolDiamond },
  { colour: '#8a6d00', mark: symbolWye },
  { colour: '#444444', mark: symbolStar },
] as const
const MARK_AREA = 44

const CSS = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #3c4450 }
    .title { font-size: 14px; font-weight: 600; fill: #1d2430 }
    .note { font-size: 10px; fill: #6b7480 }
    .end { text-anchor: end }
    .middle { text-anchor: middle }
    .grid { stroke: #e4e7eb }
    .axis { stroke: #9aa3ae }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round }`

type Scale = ScaleContinuousNumeric<number, number>

/** A picture of the curve. Equal curves give equal texts. */
export function lineChart(curve: Curve): string {
  const titleRows = wrap(curve.title, TITLE_LETTERS)
  const legend = legendRows(curve.series)
  const top = 16 + ROW * (titleRows.length + legend.length + 1)
  const points = curve.series.flatMap(series => series.points)
  const x = scaleOf(curve.x, points, 0).range([LEFT, WIDTH - RIGHT])
  const y = scaleOf(curve.y, points, 1).range([HEIGHT - BOTTOM, top])
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...titleRows.map((row, index) => text(row, 12, 20 + ROW * index, 'title')),
    ...legend.flatMap((row, index) => legendMarkup(row, 20 + ROW * (titleRows.length + index))),
    text(curve.y.label, 12, top - 10),
    ...yAxis(curve.y, y, points),
    ...xAxis(curve.x, x, points),
    ...curve.series.flatMap((series, index) => seriesMarkup(series, index, x, y)),
    ...notesOf(curve),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(curve.title)}">`,
    `  <style>${CSS}\n  </style>`,
    ...parts.map(part => `  ${part}`),
    '</svg>\n',
  ].join('\n')
}

/** A linear one begins at zero, or below, so that heights can be compared. */
function scaleOf(axis: Axis, points: readonly Point[], index: 0 | 1): Scale {
  const values = points.map(point => point[index])
  const lowest = Math.min(...values)
  const highest = Math.max(...values)
  if (axis.log !== true)
    return scaleLinear()
      .domain([Math.min(0, lowest), highest === Math.min(0, lowest) ? highest + 1 : highest])
      .nice()
  const room = lowest === highest ? 2 : 1.15
  return scaleLog().domain([lowest / room, highest * room])
}

function yAxis(axis: Axis, scale: Scale, points: readonly Point[]): string[] {
  const ticks = ticksOf({ axis, scale, values: points.map(([, y]) => y), apartMin: 26, ownValues: false })
  return ticks.flatMap(value => {
    const at = rounded(scale(value))
    return [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`,
      text(numberLabel(value), LEFT - 8, at + 4, 'end'),
    ]
  })
}

function xAxis(axis: Axis, scale: Scale, points: readonly Point[]): string[] {
  const bottom = HEIGHT - BOTTOM
  const ticks = ticksOf({ axis, scale, values: points.map(([x]) => x), apartMin: 44, ownValues: true })
  return [
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    ...ticks.flatMap(value => {
      const at = rounded(scale(value))
      return [
        `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/>`,
        text(numberLabel(value), at, bottom + 18, 'middle'),
      ]
    }),
    text(axis.label, WIDTH - RIGHT, bottom + 34, 'end'),
  ]
}

function seriesMarkup({ name, points }: Series, index: number, x: Scale, y: Scale): string[] {
  const { colour, mark } = styleOf(index)
  const sorted = [...points].sort(([a], [b]) => a - b)
  const shape = symbol(mark, MARK_AREA)()!
  const path = line<Point>(
    ([at]) => x(at),
    ([, at]) => y(at),
  ).digits(1)(sorted)
  return [
    `<path class="line" stroke="${colour}" d="${path}"/>`,
    ...sorted.map(([atX, atY]) => {
      const place = `translate(${rounded(x(atX))} ${rounded(y(atY))})`
      const title = `${escaped(name)}: ${numberLabel(atX)}, ${numberLabel(atY)}`
      return `<path fill="${colour}" transform="${place}" d="${shape}"><title>${title}</title></path>`
    }),
  ]
}

interface LegendEntry {
  readonly name: string
  readonly index: number
  readonly x: number
}

/** As many names in a row as there is room for; one series alone is told by the title. */
function legendRows(series: readonly Series[]): LegendEntry[][] {
  if (series.length === 1) return []
  const rows: LegendEntry[][] = [[]]
  let x = 12
  for (const [index, { name }] of series.entries()) {
    const width = LEGEND_MARK + name.length * LETTER
    if (x + width > WIDTH - 12 && x > 12) {
      rows.push([])
      x = 12
    }
    rows.at(-1)!.push({ name, index, x })
    x += width + 14
  }
  return rows
}

function legendMarkup(row: readonly LegendEntry[], y: number): string[] {
  return row.flatMap(({ name, index, x }) => {
    const { colour, mark } = styleOf(index)
    return [
      `<path class="line" stroke="${colour}" d="M${rounded(x)} ${y - 4}h20"/>`,
      `<path fill="${colour}" transform="translate(${rounded(x + 10)} ${y - 4})" d="${symbol(mark, MARK_AREA)()}"/>`,
      text(name, x + LEGEND_MARK, y),
    ]
  })
}

/** Where and how it was measured: what does not fit is in the data beside the picture. */
function notesOf({ machine, how }: Curve): string[] {
  const { cores, cpu, node, memoryGb } = machine
  const rows = [how, `${cores} × ${cpu}, ${memoryGb} GiB, Node ${node}`]
  return rows.map((row, index) => text(shortened(row, NOTE_LETTERS), 12, HEIGHT - 20 + 13 * index, 'note'))
}

function styleOf(index: number): (typeof STYLES)[number] {
  return STYLES[index % STYLES.length]!
}

function text(content: string, x: number, y: number, className?: string): string {
  const attribute = className === undefined ? '' : ` class="${className}"`
  return `<text${attribute} x="${rounded(x)}" y="${rounded(y)}">${escaped(content)}</text>`
}

/** `words` in rows of at most so many letters, where a single word is not longer. */
export function wrap(words: string, letters: number): string[] {
  const rows: string[] = []
  for (const word of words.split(' ')) {
    const last = rows.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= letters) rows[rows.length - 1] = `${last} ${word}`
    else rows.push(word)
  }
  return rows
}

function shortened(words: string, letters: number): string {
  return words.length <= letters ? words : `${words.slice(0, letters - 1)}…`
}

const rounded = (value: number) => Math.round(value * 10) / 10

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
