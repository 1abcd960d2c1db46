import { lineText, type StyledLine, type StyledText, trimmedLine } from './line.ts'
import type { Paint } from './tone.ts'

export interface Column {
  readonly head: string
  /** Numbers stand to the right. */
  readonly align?: 'left' | 'right'
  /** Where there is no room the column with the highest number is left out first; one without a number never is. */
  readonly leaveOut?: number
}

export type Cell = string | StyledText

const GAP = '  '

/**
 * A table as wide as its widest cells, its head faint. Where it is wider than `columns`, whole columns are left out: half a price would
 * be a wrong one.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width = Number.POSITIVE_INFINITY,
): StyledLine[] {
  const widths = columns.map(({ head }, index) => Math.max(head.length, ...rows.map(row => textOf(row[index]!).length)))
  const shown = shownColumns(columns, widths, width)
  const lineOf = (cells: readonly Cell[]): StyledLine =>
    shown.flatMap((index, place) => {
      const cell = cells[index]!
      const text =
        columns[index]!.align === 'right' ? textOf(cell).padStart(widths[index]!) : textOf(cell).padEnd(widths[index]!)
      const styled = typeof cell === 'string' ? { text } : { ...cell, text }
      return place === 0 ? [styled] : [{ text: GAP }, styled]
    })
  const heads = columns.map(({ head }): StyledText => ({ text: head, tone: 'faint' }))
  return [heads, ...rows].map(cells => trimmedLine(lineOf(cells)))
}

/** A whole table as text, for output that is read later: nothing is left out. */
export function tableText(columns: readonly Column[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  return tableLines(columns, rows)
    .map(line => `${lineText(line, Number.POSITIVE_INFINITY, paint)}\n`)
    .join('')
}

/** As much of a table as `rows` have room for, its head first; the last row then says how many are not shown. */
export function fittingLines(table: readonly StyledLine[], rows: number): readonly StyledLine[] {
  if (table.length <= rows) return table
  const kept = table.slice(0, Math.max(0, rows - 1))
  return [...kept, [{ text: `and ${table.length - Math.max(1, kept.length)} more`, tone: 'faint' }]]
}

/** Indexes of the columns that have room. */
function shownColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let shown = columns.map((_, index) => index)
  const needed = () => shown.reduce((sum, index) => sum + widths[index]!, GAP.length * (shown.length - 1))
  while (needed() > width) {
    const ranks = shown.map(index => columns[index]!.leaveOut ?? Number.NEGATIVE_INFINITY)
    const highest = Math.max(...ranks)
    if (highest === Number.NEGATIVE_INFINITY) break
    const place = ranks.lastIndexOf(highest)
    shown = shown.filter((_, at) => at !== place)
  }
  return shown
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}
