import type { BarText } from '@chart/market'
import { element, setText } from './element.ts'
import { type LegendItem, legendOf } from './legend-text.ts'
import type { TimeSlot } from './time-slots.ts'
import { timeText } from './time-text.ts'

/** The line of numbers above a chart. */
export class Legend {
  readonly root = element('dl', { class: 'legend', 'aria-label': 'Bar' })
  readonly #items = new Map<string, { readonly value: HTMLElement; readonly item: HTMLElement }>()
  readonly #gap = element('div', { class: 'legend-gap' })
  #minHeight = 0
  #width = 0

  constructor() {
    new ResizeObserver(([entry]) => {
      const size = entry?.borderBoxSize[0]
      if (size !== undefined) this.#keepHeight(size.inlineSize, size.blockSize)
    }).observe(this.root)
  }

  /** Shows the bar of `slot`, or what is missing there; undefined: nothing yet. */
  show(slot: TimeSlot | undefined, interval: string, decimals: number | undefined): void {
    const isGap = slot?.gap !== undefined
    this.root.classList.toggle('is-gap', isGap)
    this.root.classList.toggle('is-empty', slot === undefined)
    if (slot?.bar !== undefined) this.#showBar(slot.bar, decimals)
    if (slot?.gap !== undefined) {
      const { missing, fromTime } = slot.gap
      if (!this.#gap.isConnected) this.root.append(this.#gap)
      setText(
        this.#gap,
        `${missing === 1 ? '1 bar is' : `${missing.toLocaleString('en-US')} bars are`} missing from ${timeText(fromTime, interval)} on`,
      )
    }
  }

  #showBar(bar: BarText, decimals: number | undefined): void {
    for (const item of legendOf(bar, decimals)) {
      const { value, item: root } = this.#items.get(item.name) ?? this.#add(item)
      setText(value, item.value)
      if (root.title !== item.title) root.title = item.title
    }
    const { open, close } = bar
    this.root.dataset.direction = Number(close) > Number(open) ? 'up' : Number(close) < Number(open) ? 'down' : 'none'
    this.root.dataset.worth = bar.proof === 'imported' || bar.complete ? 'whole' : 'incomplete'
  }

  #add({ name, label }: LegendItem): { value: HTMLElement; item: HTMLElement } {
    const value = element('dd')
    const item = element('div', { class: `legend-item legend-${name}` }, element('dt', {}, label), value)
    this.root.append(item)
    const made = { value, item }
    this.#items.set(name, made)
    return made
  }

  /** A legend that wrapped once stays as high, so that the chart below does not jump when a number grows by a digit. */
  #keepHeight(width: number, height: number): void {
    if (width !== this.#width) {
      this.#width = width
      this.#minHeight = 0
      this.root.style.minHeight = ''
    } else if (height > this.#minHeight) {
      this.#minHeight = height
      this.root.style.minHeight = `${height}px`
    }
  }
}
