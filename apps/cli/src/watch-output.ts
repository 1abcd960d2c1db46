import type { WriteStream } from 'node:tty'
import type { ChartEvent } from '@chart/client'
import { canDraw, openPicture, paintFor } from '@chart/terminal'
import type { Io } from './command.ts'
import { lineOf, WatchedSeries } from './watched-series.ts'

/** Where what a stream tells is shown. */
export interface WatchOutput extends Disposable {
  show(event: ChartEvent): void
  /** Something beside the bars. */
  note(text: string): void
}

/** A terminal shows no more, and a busy stream has thousands of events a second. */
const DRAW_EVERY_MS = 50

export interface WatchOutputOptions {
  readonly json: boolean
  /** TERM of the environment. */
  readonly terminal: string | undefined
}

/** On a terminal that can, a row for each series that is drawn over itself; elsewhere a line for each event. */
export function openWatchOutput(io: Io, { json, terminal }: WatchOutputOptions): WatchOutput {
  if (json) return lines(io, event => JSON.stringify(objectOf(event)))
  if (canDraw(io.stdout, terminal)) return picture(io.stdout)
  const paint = paintFor(io.stdout)
  return lines(io, event =>
    event.event === 'heartbeat' || event.event === 'gap' ? undefined : lineOf(event.bar, paint),
  )
}

function lines(io: Io, textOf: (event: ChartEvent) => string | undefined): WatchOutput {
  return {
    show(event) {
      const text = textOf(event)
      if (text !== undefined) io.stdout.write(`${text}\n`)
    },
    note: text => void io.stderr.write(`chart watch: ${text}\n`),
    [Symbol.dispose]() {},
  }
}

function picture(terminal: WriteStream): WatchOutput {
  const drawn = openPicture(terminal)
  const paint = paintFor(terminal)
  const series = new WatchedSeries()
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    timer = undefined
    drawn.draw(size => series.render(size, paint))
  }
  const change = () => {
    timer ??= setTimeout(draw, DRAW_EVERY_MS)
  }
  return {
    show(event) {
      series.take(event)
      change()
    },
    note(text) {
      series.note(text)
      change()
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      draw()
      drawn[Symbol.dispose]()
    },
  }
}

function objectOf(event: ChartEvent): object {
  switch (event.event) {
    case 'heartbeat':
      return { type: event.event, feed: event.feed }
    case 'gap':
      return { type: event.event, gap: event.gap }
    default: {
      const { event: type, tradeTime, merged, ...bar } = event.bar
      return { type, ...(tradeTime !== undefined && { tradeTime }), ...(merged > 0 && { merged }), bar }
    }
  }
}
