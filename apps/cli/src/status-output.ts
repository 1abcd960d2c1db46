import type { WriteStream } from 'node:tty'
import {
  canDraw,
  lineText,
  openPicture,
  type Paint,
  paintFor,
  type StyledLine,
  widthOf,
  wrappedLine,
} from '@chart/terminal'
import type { Io } from './command.ts'
import type { Finding, Look } from './status-findings.ts'
import { factLines, statusLines, verdictLines } from './status-view.ts'

/** Where judgements are shown. */
export interface StatusOutput extends Disposable {
  show(look: Look, findings: readonly Finding[]): void
  /** There was nothing to judge by. */
  fail(reason: string): void
}

export interface StatusOutputOptions {
  readonly watch: boolean
  readonly json: boolean
  /** TERM of the environment. */
  readonly terminal: string | undefined
}

/** A whole page; with `watch` one that is drawn over itself, or, where nobody watches, a line for each change. */
export function openStatusOutput(io: Io, how: StatusOutputOptions): StatusOutput {
  if (how.json) return jsonOutput(io)
  if (!how.watch) return pageOutput(io)
  return canDraw(io.stdout, how.terminal) ? pictureOutput(io.stdout) : changesOutput(io)
}

function jsonOutput(io: Io): StatusOutput {
  // A script finds every key: what is not there is null.
  const write = (value: object) =>
    void io.stdout.write(`${JSON.stringify(value, (_, one) => (one === undefined ? null : one))}\n`)
  return {
    show({ status, queue }, findings) {
      write({ well: findings.length === 0, findings: findings.map(({ text }) => text), ...status, queue })
    },
    fail: reason => write({ well: false, findings: [reason] }),
    [Symbol.dispose]() {},
  }
}

function pageOutput(io: Io): StatusOutput {
  const paint = paintFor(io.stdout)
  const width = widthOf(io.stdout)
  return {
    show: (look, findings) => write(io, statusLines(look, findings, width), paint),
    fail: reason => write(io, failureLines(reason), paint),
    [Symbol.dispose]() {},
  }
}

function changesOutput(io: Io): StatusOutput {
  const paint = paintFor(io.stdout)
  let before: string | undefined
  const tell = (lines: readonly StyledLine[], key: string) => {
    if (key === before) return
    before = key
    const time: StyledLine[number] = { text: `${new Date().toISOString()}  `, tone: 'faint' }
    write(
      io,
      lines.map(line => [time, ...line]),
      paint,
    )
  }
  return {
    show: (_, findings) => tell(verdictLines(findings), findings.map(({ key }) => key).join()),
    fail: reason => tell(failureLines(reason), 'unreadable'),
    [Symbol.dispose]() {},
  }
}

function pictureOutput(terminal: WriteStream): StatusOutput {
  const picture = openPicture(terminal)
  const paint = paintFor(terminal)
  const draw = (verdict: readonly StyledLine[], restOf: (columns: number) => readonly StyledLine[]) =>
    picture.draw(({ columns, rows }) => {
      // What is wrong is read to its end; of what it was judged by there is as much as has room.
      const lines = [...verdict.flatMap(line => wrappedLine(line, columns)), ...restOf(columns)]
      return [...lines.slice(0, rows - 1), clockLine()].map(line => lineText(line, columns, paint))
    })
  return {
    show: (look, findings) => draw(verdictLines(findings), columns => [...factLines(look, columns), []]),
    fail: reason => draw(failureLines(reason), () => []),
    [Symbol.dispose]: () => picture[Symbol.dispose](),
  }
}

function clockLine(): StyledLine {
  return [{ text: `${new Date().toISOString().slice(11, 19)} UTC   Ctrl-C ends it`, tone: 'faint' }]
}

function failureLines(reason: string): StyledLine[] {
  return verdictLines([{ key: 'unreadable', text: reason }])
}

function write(io: Io, lines: readonly StyledLine[], paint: Paint): void {
  // Nothing is cut: a line that is too long wraps, and can be read.
  io.stdout.write(lines.map(line => `${lineText(line, Number.POSITIVE_INFINITY, paint)}\n`).join(''))
}
