/**
 * Which fields of a value somebody looked at. The models' validators are compiled from the API's schemas and let pass what these do not
 * name; but they ask a value for each field that they know. So a field that nobody asked for is one that the API does not have.
 */
export class LookedAtFields {
  readonly #asked = new Map<object, Set<string>>()
  readonly #views = new Map<object, object>()

  /** The same value, seen through this. */
  watch<T>(value: T): T {
    if (typeof value !== 'object' || value === null) return value
    const known = this.#views.get(value)
    if (known !== undefined) return known as T
    const asked = new Set<string>()
    const view = new Proxy(value, {
      get: (target, name, receiver) => {
        if (typeof name === 'string') asked.add(name)
        return this.watch(Reflect.get(target, name, receiver))
      },
    })
    this.#asked.set(value, asked)
    this.#views.set(value, view)
    return view as T
  }

  /** Paths such as `spec.template.spec.containers[0].imag`. Of an object in which nobody looked for anything, anything may be in it. */
  passedOver(value: unknown, path = ''): string[] {
    if (typeof value !== 'object' || value === null) return []
    const asked = this.#asked.get(value)
    if (asked === undefined || asked.size === 0) return []
    return Object.entries(value).flatMap(([name, item]) => {
      const at = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
      return asked.has(name) ? this.passedOver(item, at) : [at]
    })
  }
}
