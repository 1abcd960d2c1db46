import { showState, simulatedBadge, stateBadge } from './badges.ts'
import { button, element, icon, setText } from './element.ts'
import { type ChartState, oldTradeAge } from './feed-sign.ts'
import { ICONS } from './icons.ts'
import { ageText, clockText } from './time-text.ts'

/** The line above a chart: which symbol it is, whether its trades are invented, its price, and how its feed is. */
export class PanelHead {
  readonly root: HTMLElement
  readonly #symbol = element('span', { class: 'symbol-name' })
  readonly #simulated = simulatedBadge()
  readonly #price = element('output', { class: 'price', 'aria-live': 'off' })
  readonly #state = stateBadge('unknown')
  readonly #age = element('span', { class: 'age', hidden: true })
  #drawnState: ChartState | undefined

  constructor(onSearch: () => void) {
    this.root = element(
      'div',
      { class: 'panel-head' },
      button(
        'Choose a symbol',
        { class: 'symbol', 'aria-haspopup': 'dialog' },
        onSearch,
        this.#symbol,
        icon(ICONS.down.lines),
      ),
      // Where there is no room for all, what comes last is cut off.
      this.#simulated,
      this.#price,
      this.#state,
      this.#age,
    )
  }

  /** The state that is shown; undefined before the first. */
  get state(): ChartState | undefined {
    return this.#drawnState
  }

  showSymbol(symbol: string): void {
    setText(this.#symbol, symbol)
  }

  showPrice(text: string): void {
    setText(this.#price, text)
  }

  showSimulated(isSimulated: boolean): void {
    this.#simulated.hidden = !isSimulated
  }

  /** @returns whether it is another one than before */
  showState(state: ChartState): boolean {
    if (state === this.#drawnState) return false
    this.#drawnState = state
    showState(this.#state, state)
    return true
  }

  /** The age of the last trade, where it is not young. */
  showAge(lastTradeTime: number | undefined, now: number): void {
    const age = oldTradeAge(lastTradeTime, now)
    this.#age.hidden = age === undefined
    if (age === undefined) return
    setText(this.#age, `${ageText(age)} ago`)
    this.#age.title = `The last trade was at ${clockText(lastTradeTime!)} UTC`
  }
}
