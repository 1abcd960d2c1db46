/** What a key may hold, as far as the service uses Redis. Fields and values are text; a log entry's payload stays bytes. */
export type RedisValue = HashValue | StringValue | StreamValue | SortedSetValue

export interface HashValue {
  readonly type: 'hash'
  readonly fields: Map<string, string>
}

export interface StringValue {
  readonly type: 'string'
  readonly value: string
  /** Moment by Redis' clock. */
  readonly expiresAt: number
}

export interface StreamEntry {
  readonly n: number
  readonly nonce: string
  readonly payload: Buffer
  readonly traceparent?: string
}

export interface StreamValue {
  readonly type: 'stream'
  entries: StreamEntry[]
  /** The highest number that the stream ever had; a deleted stream forgets it. */
  lastNumber: number
}

export interface SortedSetValue {
  readonly type: 'zset'
  readonly scores: Map<string, number>
}

/** A key holds something of another type. */
export class WrongTypeError extends Error {
  override name = 'ReplyError'
  constructor(key: string) {
    super(`WRONGTYPE Operation against a key holding the wrong kind of value: ${key}`)
  }
}

/**
 * Redis' memory. Empty hashes and sets do not exist, keys with an end vanish at it, and all of it can be copied and put back: that is
 * what a failover to a replica that lags behind does.
 */
export class Keyspace {
  /** Milliseconds of Redis' own clock. */
  readonly now: () => number
  #values = new Map<string, RedisValue>()

  constructor(now: () => number) {
    this.now = now
  }

  keys(): string[] {
    return [...this.#values.keys()].filter(key => this.get(key) !== undefined)
  }

  get(key: string): RedisValue | undefined {
    const value = this.#values.get(key)
    if (value?.type === 'string' && value.expiresAt <= this.now()) {
      this.#values.delete(key)
      return undefined
    }
    return value
  }

  delete(key: string): boolean {
    return this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
  }

  hash(key: string): ReadonlyMap<string, string> | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (value.type !== 'hash') throw new WrongTypeError(key)
    return value.fields
  }

  hget(key: string, field: string): string | null {
    return this.hash(key)?.get(field) ?? null
  }

  /** Gives the number of new fields. */
  hset(key: string, ...pairs: (string | number)[]): number {
    let value = this.get(key)
    if (value === undefined) {
      value = { type: 'hash', fields: new Map() }
      this.#values.set(key, value)
    }
    if (value.type !== 'hash') throw new WrongTypeError(key)
    const before = value.fields.size
    for (let index = 0; index < pairs.length; index += 2) {
      value.fields.set(String(pairs[index]), String(pairs[index + 1]))
    }
    return value.fields.size - before
  }

  hdel(key: string, field: string): number {
    const value = this.get(key)
    if (value === undefined) return 0
    if (value.type !== 'hash') throw new WrongTypeError(key)
    if (!value.fields.delete(field)) return 0
    if (value.fields.size === 0) this.#values.delete(key)
    return 1
  }

  getString(key: string): string | null {
    const value = this.get(key)
    if (value === undefined) return null
    if (value.type !== 'string') throw new WrongTypeError(key)
    return value.value
  }

  setString(key: string, value: string, ttlMs: number): void {
    this.#values.set(key, { type: 'string', value, expiresAt: this.now() + ttlMs })
  }

  stream(key: string): StreamValue | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (value.type !== 'stream') throw new WrongTypeError(key)
    return value
  }

  /** XADD with the number n; undefined when the stream has one as high already. */
  xadd(key: string, entry: StreamEntry): StreamValue | undefined {
    let stream = this.stream(key)
    if (stream === undefined) {
      stream = { type: 'stream', entries: [], lastNumber: 0 }
      this.#values.set(key, stream)
    }
    if (entry.n <= stream.lastNumber) return undefined
    stream.entries.push(entry)
    stream.lastNumber = entry.n
    return stream
  }

  zset(key: string): Map<string, number> {
    const value = this.get(key)
    if (value?.type === 'zset') return value.scores
    if (value !== undefined) throw new WrongTypeError(key)
    const scores = new Map<string, number>()
    this.#values.set(key, { type: 'zset', scores })
    return scores
  }

  /** A copy of everything, for restore(). */
  snapshot(): ReadonlyMap<string, RedisValue> {
    return new Map([...this.#values].map(([key, value]) => [key, copyOf(value)]))
  }

  /** Back to what stood at a snapshot, which stays as it is. */
  restore(snapshot: ReadonlyMap<string, RedisValue>): void {
    this.#values = new Map([...snapshot].map(([key, value]) => [key, copyOf(value)]))
  }
}

function copyOf(value: RedisValue): RedisValue {
  switch (value.type) {
    case 'hash':
      return { type: 'hash', fields: new Map(value.fields) }
    case 'stream':
      return { type: 'stream', entries: [...value.entries], lastNumber: value.lastNumber }
    case 'zset':
      return { type: 'zset', scores: new Map(value.scores) }
    case 'string':
      return value
    default:
      return value satisfies never
  }
}
