import type { Paint, Tone } from './tone.ts'

/** A piece of text with what it means. Each of its characters takes one column of the terminal. */
export interface StyledText {
  readonly text: string
  readonly tone?: Tone
}

/** A line, from left to right. */
export type StyledLine = readonly StyledText[]

/** Would be commands to a terminal; names and reasons come from elsewhere. */
const CONTROL_CHARACTERS = /\p{Cc}/gu

/** The line painted, cut at `columns`. */
export function lineText(line: StyledLine, columns: number, paint: Paint): string {
  let room = columns
  let painted = ''
  for (const { text, tone = 'plain' } of line) {
    const shown = text.slice(0, room).replace(CONTROL_CHARACTERS, '?')
    room -= shown.length
    if (shown !== '') painted += paint(tone, shown)
  }
  return painted
}

/** The line in as many as it takes at `columns`, broken at blanks; a word that is longer than a line is broken itself. */
export function wrappedLine(line: StyledLine, columns: number): StyledLine[] {
  const lines: StyledText[][] = [[]]
  let room = columns
  for (const { text, ...style } of line) {
    for (const word of text.match(/\S+\s*|\s+/g) ?? []) {
      if (word.trimEnd().length > room && room < columns) startLine()
      for (let at = 0; at < word.length; at += columns) {
        const part = word.slice(at, at + columns)
        if (at > 0 && part.trim() === '') break
        if (part.trimEnd().length > room) startLine()
        lines.at(-1)!.push({ text: part, ...style })
        room -= part.length
      }
    }
  }
  return lines

  function startLine() {
    lines.push([])
    room = columns
  }
}

/** The line without blanks at its end. */
export function trimmedLine(line: StyledLine): StyledLine {
  const last = line.findLastIndex(({ text }) => text.trim() !== '')
  return line.slice(0, last + 1).map((span, index) => (index < last ? span : { ...span, text: span.text.trimEnd() }))
}
