import type { Labels } from './workloads.ts'

/** What the API calls a LabelSelector, as far as the service uses it. */
export interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly Expression[]
}

interface Expression {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Whether a selector takes something with these labels. An empty selector takes everything, none at all (undefined) takes nothing. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(expression => holds(expression, labels))
  )
}

export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: Selector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0
}

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
