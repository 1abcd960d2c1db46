import type { ChartState } from './feed-sign.ts'

/** Drawings on a field of 16 × 16: lines, and what is filled. */
export interface Drawing {
  readonly lines?: readonly string[]
  readonly filled?: readonly string[]
}

export const ICONS = {
  down: { lines: ['M4 6.5 8 10.5l4-4'] },
  close: { lines: ['M4 4l8 8M12 4l-8 8'] },
  add: { lines: ['M8 3v10M3 8h10'] },
  search: { lines: ['M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5 14 14'] },
  toNewest: { lines: ['M3 4l4 4-4 4M8 4l4 4-4 4M13.5 4v8'] },
  dark: { lines: ['M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z'] },
  light: {
    lines: [
      'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
    ],
  },
  system: { lines: ['M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z'], filled: ['M8 2a6 6 0 0 1 0 12Z'] },
  // Two candles, as in favicon.svg: their lines and bodies in one order, so that the style sheet can colour them.
  brand: { lines: ['M5 2v12', 'M11 2v12'], filled: ['M3 5h4v6H3z', 'M9 4h4v5H9z'] },
} as const satisfies Record<string, Drawing>

/** Each state has a form of its own, so that it can be told without colour. */
export const STATE_DRAWINGS: Readonly<Record<ChartState, Drawing>> = {
  live: { filled: ['M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z'] },
  backfilling: { lines: ['M8 2.5v8M4.5 7 8 10.5 11.5 7M3.5 13.5h9'] },
  stale: { lines: ['M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z'] },
  behind: { lines: ['M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM8 5v3l2 1.5'] },
  halted: { filled: ['M4 4h8v8H4z'] },
  unknown: { filled: ['M3 7h2v2H3zM7 7h2v2H7zM11 7h2v2h-2z'] },
  reconnecting: { lines: ['M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3'] },
  unserved: { lines: ['M8 2.5 14 13.5H2ZM8 6.5v3.5M8 11.5v.5'] },
}

/** The signs of the chart as the key shows them; bar-marks.ts draws the same forms. */
export const SIGN_DRAWINGS = {
  gap: { lines: ['M2 2.5h12v11H2zM2 9l6.5-6.5M3.5 13.5l10.5-10.5M9.5 13.5 14 9'] },
  incomplete: { lines: ['M3 5h10L8 13z'] },
  corrected: { filled: ['M8 2.5 13.5 8 8 13.5 2.5 8z'] },
  flat: { lines: ['M8 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM1 8h14'] },
  imported: { filled: ['M1 7h2v2H1zM5 7h2v2H5zM9 7h2v2H9zM13 7h2v2h-2z'] },
} as const satisfies Record<string, Drawing>
