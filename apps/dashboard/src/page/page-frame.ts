import { button, element, icon, setText } from './element.ts'
import { helpDialog, signsKey } from './help.ts'
import { ICONS } from './icons.ts'
import type { Command } from './key-bindings.ts'
import { LAYOUTS } from './layout.ts'
import type { Theme } from './page-address.ts'
import { SymbolSearch } from './symbol-search.ts'
import { clockText } from './time-text.ts'

export interface PageFrameHost {
  onLayout(count: number): void
  onCommand(command: Command): void
  /** The room for charts has another size. */
  onResize(): void
}

/** Charts smaller than this, in CSS pixels, show less beside their candles. */
const DENSE = { width: 640, height: 340 }
const TIGHT = { width: 430, height: 250 }

/** What is around the charts: the bar on top, the grid, the foot, the dialogs. */
export class PageFrame {
  readonly grid = element('main', { class: 'grid', 'aria-label': 'Charts' })
  readonly search = new SymbolSearch()
  readonly #help = helpDialog()
  readonly #simulated = element(
    'div',
    { class: 'banner', role: 'note', hidden: true },
    element('strong', {}, 'SIMULATED'),
    element('span', {}, 'These trades are invented by a simulator. They are not prices of any market.'),
  )
  readonly #connection = element('span', { class: 'connection', role: 'status', hidden: true })
  readonly #clock = element('span', { class: 'clock', title: 'Universal time, by the server’s clock' })
  readonly #said = element('div', { class: 'visually-hidden', 'aria-live': 'polite' })
  readonly #layouts: readonly HTMLButtonElement[]
  readonly #theme: HTMLButtonElement

  constructor(root: HTMLElement, host: PageFrameHost) {
    this.#layouts = LAYOUTS.map(count =>
      button(
        `${count} ${count === 1 ? 'chart' : 'charts'}`,
        { class: 'layout' },
        () => host.onLayout(count),
        String(count),
      ),
    )
    this.#theme = button('Theme', { class: 'quiet' }, () => host.onCommand({ does: 'theme' }))
    const bar = element(
      'header',
      { class: 'bar' },
      element('h1', { class: 'brand' }, icon(ICONS.brand.lines, ICONS.brand.filled), element('span', {}, 'Chart')),
      button(
        'Find a symbol (key /)',
        { class: 'quiet' },
        () => host.onCommand({ does: 'search' }),
        icon(ICONS.search.lines),
      ),
      element('div', { class: 'layouts', role: 'group', 'aria-label': 'Charts side by side' }, ...this.#layouts),
      button('Add a chart (key A)', { class: 'quiet' }, () => host.onCommand({ does: 'add' }), icon(ICONS.add.lines)),
      element('span', { class: 'spacer' }),
      this.#connection,
      this.#clock,
      this.#theme,
      button('Keys and signs (key ?)', { class: 'quiet' }, () => host.onCommand({ does: 'help' }), '?'),
    )
    const foot = element(
      'footer',
      { class: 'foot' },
      signsKey(),
      element('span', { class: 'spacer' }),
      element('span', {}, 'All times are UTC'),
      element(
        'a',
        { href: 'https://www.tradingview.com/', rel: 'noreferrer', target: '_blank' },
        'Charts by TradingView',
      ),
    )
    root.append(this.#simulated, bar, this.grid, foot, this.search.root, this.#help, this.#said)
    new ResizeObserver(() => host.onResize()).observe(this.grid)
  }

  openHelp(): void {
    if (!this.#help.open) this.#help.showModal()
  }

  /** Puts `count` charts into columns, and says how much room each has. */
  arrange(count: number, columns: number): void {
    const rows = Math.ceil(count / columns)
    this.grid.style.setProperty('--columns', String(columns))
    this.grid.style.setProperty('--rows', String(rows))
    const width = this.grid.clientWidth / columns
    const height = this.grid.clientHeight / rows
    const isBelow = (size: { width: number; height: number }) => width < size.width || height < size.height
    this.grid.dataset.density = isBelow(TIGHT) ? 'tight' : isBelow(DENSE) ? 'dense' : 'roomy'
    this.grid.dataset.count = String(count)
    for (const layout of this.#layouts)
      layout.setAttribute('aria-pressed', String(layout.textContent === String(count)))
  }

  showSimulated(isSimulated: boolean): void {
    this.#simulated.hidden = !isSimulated
  }

  showConnection(isOpen: boolean): void {
    this.#connection.hidden = isOpen
    setText(this.#connection, isOpen ? '' : 'Reconnecting …')
  }

  showClock(time: number): void {
    setText(this.#clock, `${clockText(time)} UTC`)
  }

  showTheme(chosen: Theme | undefined): void {
    this.#theme.replaceChildren(icon(ICONS[chosen ?? 'system'].lines, chosen === undefined ? ICONS.system.filled : []))
    const label = `Theme: ${chosen ?? 'as the system'} (key T)`
    this.#theme.title = label
    this.#theme.setAttribute('aria-label', label)
  }

  /** For those who hear the page. */
  say(text: string): void {
    setText(this.#said, text)
  }
}
