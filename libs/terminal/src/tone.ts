import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/**
 * What a text means to its reader; the colours are chosen here alone.
 *
 * up, down  a price above or below what it is compared with
 * faint     what is read once, such as the head of a table
 * good      all is as it should be
 * warning   not as it should be, and may mend itself
 * bad       not as it should be
 * calm, alarm  a banner that nobody should overlook: the real market, an invented one
 */
export type Tone = 'plain' | 'up' | 'down' | 'faint' | 'good' | 'warning' | 'bad' | 'calm' | 'alarm'

const FORMATS: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  plain: 'none',
  up: 'green',
  down: 'red',
  faint: 'dim',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  calm: ['bold', 'black', 'bgGreen'],
  alarm: ['bold', 'black', 'bgYellow'],
}

/** Gives `text` the colours of `tone`, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string

/** No colours: files, pipes, NO_COLOR. */
export const PLAIN: Paint = (_, text) => text

export const COLORED: Paint = (tone, text) => styleText(FORMATS[tone], text, { validateStream: false })

/** Colours where `stream` shows them: Node knows of terminals, NO_COLOR and FORCE_COLOR. */
export function paintFor(stream: Writable): Paint {
  return styleText('red', 'x', { stream }) === 'x' ? PLAIN : COLORED
}

/** How a price stands to an earlier one. */
export function toneOfChange(price: number, earlier: number): Tone {
  if (price === earlier) return 'plain'
  return price > earlier ? 'up' : 'down'
}

/** How a feed is, by its state in Redis and on the wire. */
export function toneOfFeed(state: string | undefined): Tone {
  switch (state) {
    case 'live':
      return 'good'
    case 'backfilling':
    case 'halted':
      return 'warning'
    case 'stale':
      return 'bad'
    default:
      return 'plain'
  }
}
