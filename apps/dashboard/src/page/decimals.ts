/** Numbers as a reader wants them. Prices stay the text that the service told; only what is shortened goes through a float. */

/** How many decimals a step has that are worth showing, "0.01000000" → 2; undefined while the step is not known. */
export function decimalsOf(step: string): number | undefined {
  if (step === '') return undefined
  const decimals = step.split('.')[1] ?? ''
  return decimals.replace(/0+$/, '').length
}

/** `price` with `decimals` decimals, or as few as say the same while they are not known. Cuts nothing but zeros. */
export function priceText(price: string, decimals: number | undefined): string {
  const [whole = '', fraction = ''] = price.split('.')
  const told = fraction.replace(/0+$/, '').padEnd(decimals ?? 0, '0')
  return told === '' ? whole : `${whole}.${told}`
}

/** `text` without the zeros at its end: exact, for titles. */
export function exactText(text: string): string {
  return priceText(text, undefined)
}

const SUFFIXES = ['', 'K', 'M', 'B', 'T', 'Q']
/** Digits of a shortened volume: 1.234K, 12.34K, 123.4K. */
const DIGITS = 4
/** Below this six decimals show nothing. */
const SMALLEST_SHORT = 1e-6

/** A volume in few characters, "1234567.5" → "1.235M". Zeros at the end stay, so that the text keeps its width while it grows. */
export function shortVolume(text: string): string {
  const value = Number(text)
  if (value === 0) return '0'
  if (value < 1) return value < SMALLEST_SHORT ? value.toExponential(2) : exactText(value.toFixed(6))
  // Rounded first: with four digits 999,950 is 1.000M, not 1000K.
  const rounded = Number(value.toPrecision(DIGITS))
  const power = Math.min(Math.floor(Math.log10(rounded) / 3), SUFFIXES.length - 1)
  const rest = rounded / 1_000 ** power
  return (rest >= 1_000 ? rest.toFixed(0) : rest.toPrecision(DIGITS)) + SUFFIXES[power]
}

/** How far `to` is from `from`, in percent with its sign: "+0.12 %", "−1.30 %". */
export function changeText(from: string, to: string): string {
  const base = Number(from)
  if (base === 0) return ''
  const percent = ((Number(to) - base) / base) * 100
  const digits = Math.abs(percent).toFixed(2)
  if (Number(digits) === 0) return `${digits} %`
  return `${percent < 0 ? '−' : '+'}${digits} %`
}

/** Which share `part` is of `whole`: "54 %"; empty where there is no whole. */
export function shareText(part: string, whole: string): string {
  const base = Number(whole)
  return base === 0 ? '' : `${Math.round((Number(part) / base) * 100)} %`
}
