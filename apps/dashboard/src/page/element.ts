/** What is set on an element; `undefined` and `false` leave an attribute out. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** An element with attributes and children: text stays text, so nothing that the server told can become markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

/** A button that says what it does, also to those who cannot see its face. */
export function button(
  label: string,
  attributes: Attributes,
  onPress: () => void,
  ...children: readonly (Node | string)[]
): HTMLButtonElement {
  const made = element('button', { type: 'button', 'aria-label': label, title: label, ...attributes }, ...children)
  made.addEventListener('click', onPress)
  return made
}

const SVG = 'http://www.w3.org/2000/svg'

/** A drawing of lines on a field of 16 × 16, in the colour of its text. `filled` are paths that are filled. */
export function icon(lines: readonly string[], filled: readonly string[] = []): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  setAttributes(svg, { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' })
  for (const d of lines) svg.append(pathOf({ d, fill: 'none', stroke: 'currentColor' }))
  for (const d of filled) svg.append(pathOf({ d, fill: 'currentColor' }))
  return svg
}

function pathOf(attributes: Attributes): SVGPathElement {
  const path = document.createElementNS(SVG, 'path')
  setAttributes(path, attributes)
  return path
}

function setAttributes(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
}

/** Sets the text only where it differs: what a screen shows already is not laid out again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text
}
