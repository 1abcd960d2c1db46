import { canDraw, openPicture, paintFor } from '@chart/terminal'
import type { Addresses, Snapshot } from './snapshot.ts'
import { addressLines, renderLine, renderTable } from './table.ts'

export type Screen = Disposable & { show(snapshot: Snapshot): void }

const plainLineEveryMs = 5_000

/**
 * A table that is drawn over itself on a terminal that can; elsewhere the addresses once, and then one line every five seconds.
 * @param kind TERM of the environment
 */
export function openScreen(output: NodeJS.WriteStream, kind: string | undefined, addresses: Addresses): Screen {
  return canDraw(output, kind) ? openTerminal(output) : openPlain(output, addresses)
}

function openTerminal(output: NodeJS.WriteStream): Screen {
  const picture = openPicture(output)
  const paint = paintFor(output)
  return {
    show: snapshot => picture.draw(size => renderTable(snapshot, size, paint)),
    [Symbol.dispose]: () => picture[Symbol.dispose](),
  }
}

function openPlain(output: NodeJS.WriteStream, addresses: Addresses): Screen {
  const paint = paintFor(output)
  let nextTime = 0
  for (const line of addressLines(addresses)) output.write(`${line}\n`)
  return {
    show(snapshot) {
      if (snapshot.takenTime < nextTime) return
      nextTime = snapshot.takenTime + plainLineEveryMs
      output.write(`${renderLine(snapshot, paint)}\n`)
    },
    [Symbol.dispose]() {},
  }
}
