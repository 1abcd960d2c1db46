import { element, icon } from './element.ts'
import { type ChartState, STATE_WORDS } from './feed-sign.ts'
import { type Drawing, STATE_DRAWINGS } from './icons.ts'

/** How a chart or a symbol is doing: a form, a word, and in full as the title. */
export function stateBadge(state: ChartState): HTMLElement {
  const badge = element('span', { class: 'badge state' })
  showState(badge, state)
  return badge
}

export function showState(badge: HTMLElement, state: ChartState): void {
  const { word, meaning } = STATE_WORDS[state]
  const { lines = [], filled = [] }: Drawing = STATE_DRAWINGS[state]
  badge.replaceChildren(icon(lines, filled), element('span', { class: 'word' }, word))
  badge.title = meaning
  badge.dataset.state = state
}

/** Says that a symbol's trades are invented; short where there is no room. */
export function simulatedBadge(): HTMLElement {
  return element(
    'span',
    { class: 'badge simulated', title: 'SIMULATED: the trades are invented by a simulator' },
    'SIM',
    element('span', { class: 'rest' }, 'ULATED'),
  )
}
