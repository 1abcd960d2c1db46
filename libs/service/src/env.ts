/** A variable that cannot be used. The message names the variable, the value and the wanted form; the process ends with it. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads typed values out of the environment; an empty variable counts as absent. Every method throws ConfigError. */
export class EnvReader {
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  text(name: string, fallback: string): string {
    return this.#value(name) ?? fallback
  }

  integer(name: string, fallback: number, range: { min: number; max: number }): number {
    const text = this.#value(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || value < range.min || value > range.max) {
      throw new ConfigError(`${name} must be a whole number from ${range.min} to ${range.max}, not "${text}"`)
    }
    return value
  }

  /** A comma-separated list without blanks and repeats. */
  list(name: string, fallback: readonly string[]): readonly string[] {
    const text = this.#value(name)
    if (text === undefined) return fallback
    const items = text
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
    if (items.length === 0) throw new ConfigError(`${name} must be a comma-separated list, not "${text}"`)
    return [...new Set(items)]
  }

  choice<const T extends string>(name: string, fallback: T, choices: readonly T[]): T {
    const text = this.#value(name)
    if (text === undefined) return fallback
    const choice = choices.find(one => one === text)
    if (choice === undefined) throw new ConfigError(`${name} must be one of ${choices.join(', ')}, not "${text}"`)
    return choice
  }

  /** A URL of one of the schemes. The value is not repeated in the error, since it may hold a password. */
  url(name: string, fallback: string, schemes: readonly string[]): string {
    const text = this.#value(name) ?? fallback
    const forms = schemes.map(scheme => `${scheme}://host:port`).join(' or ')
    if (!URL.canParse(text)) throw new ConfigError(`${name} must be a URL such as ${forms}`)
    const scheme = new URL(text).protocol.slice(0, -1)
    if (!schemes.includes(scheme)) throw new ConfigError(`${name} must be a URL such as ${forms}, not of ${scheme}://`)
    return text
  }

  /** As url; undefined when the variable is not set. */
  optionalUrl(name: string, schemes: readonly string[]): string | undefined {
    return this.#value(name) === undefined ? undefined : this.url(name, '', schemes)
  }

  /** A value that `parse` makes of the text; what it throws becomes the error's reason. */
  parsed<T>(name: string, fallback: string, parse: (text: string) => T): T {
    const text = this.#value(name) ?? fallback
    try {
      return parse(text)
    } catch (error) {
      throw new ConfigError(`${name} "${text}" cannot be used: ${(error as Error).message}`)
    }
  }

  /** The same for a value that may hold a password: it is not repeated in the error, and `parse` must not do so either. */
  secret<T>(name: string, fallback: string, parse: (text: string) => T): T {
    try {
      return parse(this.#value(name) ?? fallback)
    } catch (error) {
      throw new ConfigError(`${name} cannot be used: ${(error as Error).message}`)
    }
  }

  #value(name: string): string | undefined {
    const text = this.#env[name]?.trim()
    return text === '' ? undefined : text
  }
}
