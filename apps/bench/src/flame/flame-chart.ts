import type { Frame } from './call-tree.ts'
import type { FrameKind } from './frame-kind.ts'

const WIDTH = 1200
const SIDE = 10
const TOP = 64
const ROW = 18
/** Functions below this share of all time are drawn together, one box for those of a caller. */
const SHARE_MIN = 0.003
/** Boxes narrower than this cannot be seen. */
const PIXELS_MIN = 0.5
/** Pixels of a letter in a box, on average and rounded up. */
const LETTER = 6.4
/** Boxes that hold fewer letters stay empty. */
const LETTERS_MIN = 3

const KINDS: Readonly<Record<FrameKind | 'gathered', { readonly colour: string; readonly meaning: string }>> = {
  ours: { colour: '#f4a259', meaning: 'our code' },
  package: { colour: '#8cb8e8', meaning: 'packages' },
  node: { colour: '#a8cf9b', meaning: 'Node' },
  native: { colour: '#c9c3d6', meaning: 'V8 and system calls' },
  gc: { colour: '#e88f8f', meaning: 'garbage collection' },
  gathered: { colour: '#e4e4e4', meaning: 'small ones together' },
}

/** A box of the picture. */
interface Box {
  readonly depth: number
  /** Microseconds from the left edge. */
  readonly at: number
  readonly us: number
  readonly kind: FrameKind | 'gathered'
  readonly label: string
  readonly title: string
}

/** A picture of calls from above to below, as wide as they took; hovering tells more. Equal trees give equal texts. */
export function flameChart(tree: Frame, title: string): string {
  const boxes = boxesOf(tree)
  const height = TOP + ROW * (1 + Math.max(0, ...boxes.map(({ depth }) => depth))) + SIDE
  const scale = (WIDTH - 2 * SIDE) / tree.totalUs
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `  <style>${CSS}\n  </style>`,
    `  <rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `  <text class="title" x="${SIDE}" y="22">${escaped(title)}: ${msText(tree.totalUs)} of CPU time, idle left out</text>`,
    ...legend(tree),
    ...boxes.flatMap(box => boxMarkup(box, scale)),
    '</svg>\n',
  ].join('\n')
}

const CSS = `
    text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2430; pointer-events: none }
    .title { font-size: 14px; font-weight: 600 }
    .box { stroke: #ffffff; stroke-width: 0.6 }
    .box:hover { stroke: #1d2430 }`

/** Boxes of every function that is large enough, callers before those that they called. */
function boxesOf(tree: Frame): Box[] {
  const boxes: Box[] = []
  const addBelow = (frame: Frame, depth: number, at: number) => {
    const children = [...frame.children.values()].sort((a, b) => b.totalUs - a.totalUs)
    const small: Frame[] = []
    let left = at
    for (const child of children) {
      if (child.totalUs < tree.totalUs * SHARE_MIN) {
        small.push(child)
        continue
      }
      boxes.push(boxOf(child, depth, left, tree.totalUs))
      addBelow(child, depth + 1, left)
      left += child.totalUs
    }
    if (small.length > 0) boxes.push(gatheredOf(small, depth, left, tree.totalUs))
  }
  addBelow(tree, 0, 0)
  return boxes
}

function boxOf({ name, file, kind, selfUs, totalUs }: Frame, depth: number, at: number, allUs: number): Box {
  const where = file === '' ? '' : `\n${file}`
  const title = `${name}${where}\n${costText(totalUs, allUs)} with what it calls, ${costText(selfUs, allUs)} by itself`
  const fileName = file.slice(file.lastIndexOf('/') + 1)
  return { depth, at, us: totalUs, kind, label: fileName === '' ? name : `${name} · ${fileName}`, title }
}

function gatheredOf(small: readonly Frame[], depth: number, at: number, allUs: number): Box {
  const us = small.reduce((sum, { totalUs }) => sum + totalUs, 0)
  const names = small.slice(0, 5).map(({ name }) => name)
  const title = `${small.length} small ones, ${costText(us, allUs)} together: ${names.join(', ')}${small.length > 5 ? ', …' : ''}`
  return { depth, at, us, kind: 'gathered', label: `${small.length} more`, title }
}

function boxMarkup({ depth, at, us, kind, label, title }: Box, scale: number): string[] {
  const width = us * scale
  if (width < PIXELS_MIN) return []
  const x = SIDE + at * scale
  const y = TOP + ROW * depth
  const rect = `<rect class="box" x="${rounded(x)}" y="${y}" width="${rounded(width)}" height="${ROW}" fill="${KINDS[kind].colour}"/>`
  const letters = Math.floor((width - 6) / LETTER)
  const shown = label.length <= letters ? label : `${label.slice(0, Math.max(0, letters - 1))}…`
  const text = letters < LETTERS_MIN ? '' : `<text x="${rounded(x + 3)}" y="${y + 13}">${escaped(shown)}</text>`
  return [`  <g>${rect}${text}<title>${escaped(title)}</title></g>`]
}

/** What the colours mean, and how much time each had by itself. */
function legend(tree: Frame): string[] {
  const selfUs = new Map<string, number>()
  const add = ({ kind, selfUs: us, children }: Frame) => {
    selfUs.set(kind, (selfUs.get(kind) ?? 0) + us)
    for (const child of children.values()) add(child)
  }
  add(tree)
  let x = SIDE
  return Object.entries(KINDS).map(([kind, { colour, meaning }]) => {
    const words = kind === 'gathered' ? meaning : `${meaning} ${shareText(selfUs.get(kind) ?? 0, tree.totalUs)}`
    const markup = `  <rect x="${rounded(x)}" y="36" width="12" height="12" fill="${colour}"/><text x="${rounded(x + 17)}" y="46">${words}</text>`
    x += 17 + words.length * LETTER + 22
    return markup
  })
}

function costText(us: number, allUs: number): string {
  return `${msText(us)} (${shareText(us, allUs)})`
}

function msText(us: number): string {
  return `${(us / 1_000).toLocaleString('en-US', { maximumFractionDigits: 1 })} ms`
}

function shareText(us: number, allUs: number): string {
  return `${Math.round((us / allUs) * 1_000) / 10} %`
}

const rounded = (value: number) => Math.round(value * 10) / 10

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
