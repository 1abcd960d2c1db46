/** Factors of the API's quantities; `m` is a thousandth. */
const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** A quantity in its unit: cores of `250m` are 0.25, bytes of `1Gi` are 1073741824. Undefined for none and for what is none. */
export function quantityOf(text: string | number | undefined): number | undefined {
  const [, number, suffix] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(String(text ?? '')) ?? []
  const factor = FACTORS[suffix ?? '']
  return number === undefined || factor === undefined ? undefined : Number(number) * factor
}
