import type { SymbolView } from '../wire.ts'
import { simulatedBadge, stateBadge } from './badges.ts'
import { element, icon } from './element.ts'
import { ICONS } from './icons.ts'

/** Symbols that are shown at a time; more are found by typing. */
const SHOWN_MAX = 50

/** A list of symbols to choose from, narrowed by typing. */
export class SymbolSearch {
  readonly root: HTMLDialogElement
  readonly #input = element('input', {
    type: 'search',
    class: 'search-input',
    placeholder: 'Find a symbol',
    'aria-label': 'Find a symbol',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'symbols',
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'go',
  })
  readonly #list = element('ul', { id: 'symbols', class: 'search-list', role: 'listbox', 'aria-label': 'Symbols' })
  #symbols: readonly SymbolView[] = []
  #shown: readonly SymbolView[] = []
  #selected = 0
  #onChosen: (symbol: string) => void = () => undefined

  constructor() {
    this.root = element(
      'dialog',
      { class: 'dialog search', 'aria-label': 'Choose a symbol' },
      element('div', { class: 'search-head' }, icon(ICONS.search.lines), this.#input),
      this.#list,
    )
    this.#input.addEventListener('input', () => this.#narrow())
    this.#input.addEventListener('keydown', event => this.#onKey(event))
    this.root.addEventListener('click', event => {
      if (event.target === this.root) this.root.close()
    })
  }

  open(symbols: readonly SymbolView[], current: string | undefined, onChosen: (symbol: string) => void): void {
    this.#symbols = symbols
    this.#onChosen = onChosen
    this.#input.value = ''
    this.#narrow()
    const place = this.#shown.findIndex(({ symbol }) => symbol === current)
    this.#select(Math.max(0, place))
    if (!this.root.open) this.root.showModal()
    this.#input.focus()
  }

  #narrow(): void {
    const wanted = this.#input.value.trim().toUpperCase()
    const found = this.#symbols.filter(({ symbol }) => symbol.includes(wanted))
    // Those that begin so come first.
    found.sort((a, b) => Number(b.symbol.startsWith(wanted)) - Number(a.symbol.startsWith(wanted)))
    this.#shown = found.slice(0, SHOWN_MAX)
    this.#list.replaceChildren(...this.#shown.map((view, index) => this.#optionOf(view, index)))
    if (this.#shown.length === 0)
      this.#list.append(element('li', { class: 'search-none' }, 'No such symbol is served.'))
    this.#select(0)
  }

  #optionOf({ symbol, feed, simulated }: SymbolView, index: number): HTMLElement {
    const option = element(
      'li',
      { id: `symbol-${index}`, role: 'option', class: 'search-option', 'aria-selected': 'false' },
      element('span', { class: 'search-symbol' }, symbol),
      simulated ? simulatedBadge() : '',
      stateBadge(feed.state),
    )
    option.addEventListener('click', () => this.#choose(symbol))
    return option
  }

  #onKey(event: KeyboardEvent): void {
    const count = this.#shown.length
    if (event.key === 'ArrowDown') this.#select((this.#selected + 1) % Math.max(1, count))
    else if (event.key === 'ArrowUp') this.#select((this.#selected - 1 + count) % Math.max(1, count))
    else if (event.key === 'Enter') this.#choose(this.#shown[this.#selected]?.symbol)
    else return
    event.preventDefault()
  }

  #select(index: number): void {
    this.#selected = index
    for (const [place, option] of [...this.#list.querySelectorAll('[role=option]')].entries()) {
      option.setAttribute('aria-selected', String(place === index))
      if (place === index) option.scrollIntoView({ block: 'nearest' })
    }
    this.#input.setAttribute('aria-activedescendant', `symbol-${index}`)
  }

  #choose(symbol: string | undefined): void {
    if (symbol === undefined) return
    this.root.close()
    this.#onChosen(symbol)
  }
}
