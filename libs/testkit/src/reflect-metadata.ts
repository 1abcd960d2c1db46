/**
 * What @peculiar/x509 finds its parts by wants the metadata that a package of the same name adds to `Reflect`, and refuses to load
 * without it. These four are all that it calls.
 */
const entries = new WeakMap<object, Map<unknown, unknown>>()

function ownMetadata(key: unknown, target: object): unknown {
  return entries.get(target)?.get(key)
}

function metadata(key: unknown, target: object | null): unknown {
  for (let at = target; at !== null; at = Object.getPrototypeOf(at)) {
    if (entries.get(at)?.has(key)) return ownMetadata(key, at)
  }
  return undefined
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const known = entries.get(target) ?? new Map()
  entries.set(target, known.set(key, value))
}

Object.assign(Reflect, {
  getMetadata: metadata,
  getOwnMetadata: ownMetadata,
  defineMetadata,
  metadata: (key: unknown, value: unknown) => (target: object) => defineMetadata(key, value, target),
})
