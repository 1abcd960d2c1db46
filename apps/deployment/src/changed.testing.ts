type Node = Record<string, unknown>

/**
 * A copy of an object with another value at a place such as `spec.template.spec.containers.0.image`; undefined takes the field away, and
 * `+` adds to a list. A field with dots in its name is written as a list of names.
 */
export function changed<T extends object>(object: T, path: string | readonly string[], value: unknown): T {
  const copy = structuredClone(object)
  const names = typeof path === 'string' ? path.split('.') : [...path]
  const last = names.pop()!
  const parent = names.reduce<Node>((node, name) => {
    node[name] ??= {}
    return node[name] as Node
  }, copy as Node)
  if (last === '+' && Array.isArray(parent)) parent.push(value)
  else if (value === undefined) delete parent[last]
  else parent[last] = value
  return copy
}
