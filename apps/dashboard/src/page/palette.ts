/** Colours that the canvas takes from the style sheet, so that they have one home. */
export interface Palette {
  readonly text: string
  readonly muted: string
  readonly grid: string
  readonly border: string
  readonly panel: string
  readonly raised: string
  readonly accent: string
  readonly up: string
  readonly down: string
  readonly upVolume: string
  readonly downVolume: string
  readonly flat: string
  readonly warn: string
  readonly corrected: string
  readonly gapTint: string
  readonly gapLine: string
}

const VARIABLES: Readonly<Record<keyof Palette, string>> = {
  text: '--text',
  muted: '--muted',
  grid: '--grid',
  border: '--border',
  panel: '--panel',
  raised: '--raised',
  accent: '--accent',
  up: '--up',
  down: '--down',
  upVolume: '--up-volume',
  downVolume: '--down-volume',
  flat: '--flat',
  warn: '--warn',
  corrected: '--corrected',
  gapTint: '--gap-tint',
  gapLine: '--gap-line',
}

/** The colours of the theme that is set now. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const entries = Object.entries(VARIABLES).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()])
  return Object.fromEntries(entries) as Palette
}
