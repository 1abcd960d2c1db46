import { Counter, type Registry } from 'prom-client'

/**
 * A counter by a label of which all values are known. Each of them shows 0 from the start: of a series that begins with its first event
 * `increase()` sees nothing, so an alert would miss the very event that it is there for.
 */
export function counterBy<Label extends string>(
  label: Label,
  values: readonly string[],
  options: { readonly name: string; readonly help: string; readonly registers: Registry[] },
): Counter<Label> {
  const counter = new Counter<Label>({ ...options, labelNames: [label] })
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0)
  return counter
}
