import type { Writable } from 'node:stream'
import type { WriteStream } from 'node:tty'

export interface PictureSize {
  readonly columns: number
  readonly rows: number
}

/** Lines on a terminal that are drawn over themselves. */
export interface Picture extends Disposable {
  /** Draws what `render` gives: at most `rows` lines of at most `columns` characters. */
  draw(render: (size: PictureSize) => readonly string[]): void
}

/** Of a terminal that does not say how large it is. */
const USUAL_SIZE: PictureSize = { columns: 80, rows: 24 }

/** How wide what is written to `output` may be: a file has no end. */
export function widthOf(output: Writable): number {
  const { isTTY, columns } = output as Partial<WriteStream>
  return isTTY === true ? columns || USUAL_SIZE.columns : Number.POSITIVE_INFINITY
}

/**
 * Whether lines can be drawn over themselves there.
 * @param kind TERM of the environment: a dumb terminal (an editor's, a serial one) would show the commands for it
 */
export function canDraw(output: Writable, kind: string | undefined): output is WriteStream {
  return (output as Partial<WriteStream>).isTTY === true && kind !== 'dumb'
}

export function openPicture(output: WriteStream): Picture {
  let drawnLines = 0
  // After a change of width the lines on the terminal are no longer the ones that were drawn.
  const clear = () => {
    output.write('\x1b[2J\x1b[H')
    drawnLines = 0
  }
  output.on('resize', clear)
  return {
    draw(render) {
      const columns = output.columns || USUAL_SIZE.columns
      // One row stays free for the cursor: writing the last one would scroll.
      const rows = (output.rows || USUAL_SIZE.rows) - 1
      const lines = render({ columns, rows })
      const upToFirst = drawnLines > 0 ? `\x1b[${drawnLines}A\r` : ''
      output.write(`${upToFirst}${lines.map(line => `${line}\x1b[K\n`).join('')}\x1b[J`)
      drawnLines = lines.length
    },
    [Symbol.dispose]() {
      output.off('resize', clear)
    },
  }
}
