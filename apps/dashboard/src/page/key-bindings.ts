/** What a key does. */
export type Command =
  | { readonly does: 'interval'; readonly index: number }
  | { readonly does: 'chart' | 'symbol' | 'zoom' | 'scroll'; readonly by: 1 | -1 }
  | {
      readonly does: 'oldest' | 'newest' | 'search' | 'help' | 'theme' | 'add' | 'remove' | 'layout'
    }

/** A key as a browser tells it. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** The keys as the help shows them. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['1', '…', '9'], does: 'interval, in the order of the row' },
  { keys: ['←', '→'], does: 'chart before, chart after' },
  { keys: ['↑', '↓'], does: 'symbol before, symbol after' },
  { keys: ['/'], does: 'find a symbol' },
  { keys: ['+', '−'], does: 'zoom in, zoom out' },
  { keys: ['Page Up', 'Page Down'], does: 'scroll back, scroll on' },
  { keys: ['Home'], does: 'oldest bars that are loaded' },
  { keys: ['End'], does: 'newest bar' },
  { keys: ['A'], does: 'add a chart' },
  { keys: ['X'], does: 'remove the chart' },
  { keys: ['L'], does: 'next layout: 1, 2, 4 … 16 charts' },
  { keys: ['T'], does: 'theme: dark, light, as the system' },
  { keys: ['?'], does: 'these keys' },
  { keys: ['Esc'], does: 'close' },
]

const COMMANDS = new Map<string, Command>(
  Object.entries({
    ArrowLeft: { does: 'chart', by: -1 },
    ArrowRight: { does: 'chart', by: 1 },
    ArrowUp: { does: 'symbol', by: -1 },
    ArrowDown: { does: 'symbol', by: 1 },
    '+': { does: 'zoom', by: 1 },
    // The key of + without Shift.
    '=': { does: 'zoom', by: 1 },
    '-': { does: 'zoom', by: -1 },
    PageUp: { does: 'scroll', by: -1 },
    PageDown: { does: 'scroll', by: 1 },
    Home: { does: 'oldest' },
    End: { does: 'newest' },
    '/': { does: 'search' },
    '?': { does: 'help' },
    a: { does: 'add' },
    x: { does: 'remove' },
    l: { does: 'layout' },
    t: { does: 'theme' },
  }),
)

/** What `press` does; undefined for a key that is the browser's. */
export function commandOf({ key, ctrlKey, metaKey, altKey }: KeyPress): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined
  if (/^[1-9]$/.test(key)) return { does: 'interval', index: Number(key) - 1 }
  return COMMANDS.get(key.length === 1 ? key.toLowerCase() : key)
}
