import { stateBadge } from './badges.ts'
import { SIGN_MEANINGS } from './bar-signs.ts'
import { button, element, icon } from './element.ts'
import { type ChartState, STATE_WORDS } from './feed-sign.ts'
import { type Drawing, ICONS, SIGN_DRAWINGS } from './icons.ts'
import { KEYS } from './key-bindings.ts'

/** The keys, the signs on the charts, and the states of a feed. */
export function helpDialog(): HTMLDialogElement {
  const keys = KEYS.flatMap(({ keys: caps, does }) => [
    element('dt', {}, ...caps.map(cap => (cap === '…' ? '…' : element('kbd', {}, cap)))),
    element('dd', {}, does),
  ])
  const signs = Object.entries(SIGN_MEANINGS).flatMap(([sign, { name, meaning }]) => [
    element('dt', {}, signIcon(sign as keyof typeof SIGN_DRAWINGS), name),
    element('dd', {}, meaning),
  ])
  const states = Object.entries(STATE_WORDS).flatMap(([state, { meaning }]) => [
    element('dt', {}, stateBadge(state as ChartState)),
    element('dd', {}, meaning),
  ])
  const dialog = element(
    'dialog',
    { class: 'dialog help', 'aria-label': 'Keys and signs' },
    element(
      'div',
      { class: 'help-head' },
      element('h2', { tabindex: -1, autofocus: true }, 'Keys and signs'),
      button('Close', { class: 'quiet' }, () => dialog.close(), icon(ICONS.close.lines)),
    ),
    element(
      'div',
      { class: 'help-columns' },
      element('section', {}, element('h3', {}, 'Keys'), element('dl', {}, ...keys)),
      element(
        'section',
        {},
        element('h3', {}, 'Signs'),
        element('dl', {}, ...signs),
        element('h3', {}, 'States'),
        element('dl', {}, ...states),
      ),
    ),
  )
  dialog.addEventListener('click', event => {
    if (event.target === dialog) dialog.close()
  })
  return dialog
}

/** The signs in one line, for the foot of the page. */
export function signsKey(): HTMLElement {
  const items = Object.entries(SIGN_MEANINGS).map(([sign, { name, meaning }]) =>
    element('li', { title: meaning }, signIcon(sign as keyof typeof SIGN_DRAWINGS), name),
  )
  return element('ul', { class: 'signs', 'aria-label': 'Signs on the charts' }, ...items)
}

function signIcon(sign: keyof typeof SIGN_DRAWINGS): SVGSVGElement {
  const { lines, filled }: Drawing = SIGN_DRAWINGS[sign]
  const svg = icon(lines ?? [], filled)
  svg.classList.add('sign', `sign-${sign}`)
  return svg
}
