import type { Paint, Tone } from './tone.ts'

/** A piece of text with what it means. Each of its characters takes one column of the terminal. */
export interface StyledText {
  readonly text: string
  readonly tone?: Tone
}

/** A line, from left to right. */
export type StyledLine = readonly StyledText[]

/** The line painted, cut at `columns`. */
export function lineText(line: StyledLine, columns: number, paint: Paint): string {
  let room = columns
  let painted = ''
  for (const { text, tone = 'plain' } of line) {
    const shown = text.slice(0, room)
    room -= shown.length
    if (shown !== '') painted += paint(tone, shown)
  }
  return painted
}

/** The line without blanks at its end. */
export function trimmedLine(line: StyledLine): StyledLine {
  const last = line.findLastIndex(({ text }) => text.trim() !== '')
  return line.slice(0, last + 1).map((span, index) => (index < last ? span : { ...span, text: span.text.trimEnd() }))
}
