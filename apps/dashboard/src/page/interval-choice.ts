import { button, element } from './element.ts'

/** The intervals to choose from: buttons, and a list for where these have no room. */
export class IntervalChoice {
  readonly buttons = element('div', { class: 'intervals', role: 'group', 'aria-label': 'Interval' })
  readonly list = element('select', { class: 'interval-select', 'aria-label': 'Interval' })
  readonly #onChoice: (name: string) => void
  #names: readonly string[] = []
  #chosen = ''

  constructor(onChoice: (name: string) => void) {
    this.#onChoice = onChoice
    this.list.addEventListener('change', () => onChoice(this.list.value))
  }

  get names(): readonly string[] {
    return this.#names
  }

  setNames(names: readonly string[]): void {
    if (names.join() === this.#names.join()) return
    this.#names = names
    this.buttons.replaceChildren(
      ...names.map((name, index) =>
        button(
          `Interval ${name}${index < 9 ? ` (key ${index + 1})` : ''}`,
          { class: 'interval', 'data-interval': name },
          () => this.#onChoice(name),
          name,
        ),
      ),
    )
    this.list.replaceChildren(...names.map(name => element('option', { value: name }, name)))
    this.mark(this.#chosen)
  }

  /** Shows which one is chosen. */
  mark(chosen: string): void {
    this.#chosen = chosen
    for (const one of this.buttons.querySelectorAll<HTMLElement>('.interval'))
      one.setAttribute('aria-pressed', String(one.dataset.interval === chosen))
    this.list.value = chosen
  }
}
