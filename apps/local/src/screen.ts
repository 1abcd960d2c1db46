import type { Snapshot } from './snapshot.ts'
import { renderLine, renderTable } from './table.ts'

export type Screen = Disposable & { show(snapshot: Snapshot): void }

const plainLineEveryMs = 5_000

/** A table that is drawn over itself on a terminal; elsewhere one line every five seconds. */
export function openScreen(output: NodeJS.WriteStream, color: boolean): Screen {
  return output.isTTY ? openTerminal(output, color) : openPlain(output)
}

function openTerminal(output: NodeJS.WriteStream, color: boolean): Screen {
  let drawnLines = 0
  // After a change of width the lines on the terminal are no longer the ones that were drawn.
  const clear = () => {
    output.write('\x1b[2J\x1b[H')
    drawnLines = 0
  }
  output.on('resize', clear)
  return {
    show(snapshot) {
      // One row stays free for the cursor: writing the last one would scroll.
      const lines = renderTable(snapshot, { columns: output.columns, rows: output.rows - 1, color })
      const upToFirst = drawnLines > 0 ? `\x1b[${drawnLines}A\r` : ''
      output.write(`${upToFirst}${lines.map(line => `${line}\x1b[K\n`).join('')}\x1b[J`)
      drawnLines = lines.length
    },
    [Symbol.dispose]() {
      output.off('resize', clear)
    },
  }
}

function openPlain(output: NodeJS.WriteStream): Screen {
  let nextTime = 0
  return {
    show(snapshot) {
      if (snapshot.takenTime < nextTime) return
      nextTime = snapshot.takenTime + plainLineEveryMs
      output.write(`${renderLine(snapshot)}\n`)
    },
    [Symbol.dispose]() {},
  }
}
