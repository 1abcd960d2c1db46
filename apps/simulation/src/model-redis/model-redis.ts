import type { Mutation } from '../mutations.ts'
import { append } from './append.ts'
import { commit, commitBarsApart, commitPositionApart } from './commit.ts'
import { Keyspace, type StreamEntry } from './keyspace.ts'
import { acknowledge, feedStates, look, readHashes, restate, rewind } from './other-scripts.ts'
import { claim, heartbeat, release, renew } from './owner-scripts.ts'
import { ReplyError, type Script } from './script.ts'

export type Argument = string | number | Buffer

/** The scripts by the names that they have as commands (libs/redis/src/scripts.ts). */
const SCRIPTS: Record<string, Script> = {
  heartbeatMember: heartbeat,
  claimPartition: claim,
  renewPartition: renew,
  releasePartition: release,
  appendEntry: append,
  writeFeedStates: feedStates,
  commitBars: commit,
  commitBarsApart,
  commitPositionApart,
  rewindLog: rewind,
  acknowledgeBars: acknowledge,
  readHashes,
  restateBar: restate,
  lookAtPartition: look,
}

/** Refused while Redis is over maxmemory; scripts with allow-oom, reads and deletions are not. */
const DENIED_OVER_MEMORY = new Set(['appendEntry', 'restateBar', 'hset', 'hsetnx', 'lockAcquire'])

/** A command that has run, for whoever watches. */
export interface RanCommand {
  readonly command: string
  readonly keys: readonly string[]
  readonly args: readonly (string | Buffer)[]
  readonly reply: unknown
}

/**
 * Redis, as far as the service uses it: commands and scripts on plain maps, one after the other. tests/model-redis.test.ts compares it
 * with the real scripts in a real Redis, step by step.
 */
export class ModelRedis {
  readonly store: Keyspace
  /** Over maxmemory. */
  full = false
  readonly #mutation: Mutation | undefined
  readonly #listeners = new Set<(channel: string, bytes: Buffer) => void>()
  readonly #watchers: ((ran: RanCommand) => void)[] = []

  constructor(now: () => number, mutation?: Mutation) {
    this.store = new Keyspace(now)
    this.#mutation = mutation
  }

  /** Gives the function that ends it. */
  onPublish(listener: (channel: string, bytes: Buffer) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Told of every command after it has run. */
  onRan(watcher: (ran: RanCommand) => void): void {
    this.#watchers.push(watcher)
  }

  /** Runs a command as ioredis is given it. @throws ReplyError */
  run(command: string, values: readonly Argument[]): unknown {
    if (this.full && DENIED_OVER_MEMORY.has(command)) {
      throw new ReplyError("OOM command not allowed when used memory > 'maxmemory'.")
    }
    const script = SCRIPTS[command]
    if (script === undefined) return this.#runPlain(command, values)
    const keyCount = Number(values[0])
    const keys = values.slice(1, 1 + keyCount).map(String)
    const args = values.slice(1 + keyCount).map(value => (Buffer.isBuffer(value) ? value : String(value)))
    const published: [string, Buffer][] = []
    const publish = (channel: string, bytes: Buffer) => published.push([channel, bytes])
    const reply = script({ store: this.store, keys, args, mutation: this.#mutation, publish })
    for (const watch of this.#watchers) watch({ command, keys, args, reply })
    for (const [channel, bytes] of published) for (const listen of this.#listeners) listen(channel, bytes)
    return reply
  }

  /** XREAD: entries after number `after`. */
  readLog(key: string, after: number, countMax: number): StreamEntry[] {
    const entries = this.store.stream(key)?.entries ?? []
    let start = entries.length
    while (start > 0 && entries[start - 1]!.n > after) start--
    return entries.slice(start, start + countMax)
  }

  #runPlain(command: string, values: readonly Argument[]): unknown {
    const { store } = this
    const [key, ...rest] = values.map(value => (typeof value === 'object' ? value : String(value))) as [
      string,
      ...string[],
    ]
    switch (command) {
      case 'hget':
        return store.hget(key, rest[0]!)
      case 'hmget':
        return rest.map(field => store.hget(key, field))
      case 'hgetall':
        return Object.fromEntries(store.hash(key) ?? [])
      case 'hlen':
        return store.hash(key)?.size ?? 0
      case 'hscan':
        // A hash of Redis' compact form comes in one answer, whatever COUNT says.
        return ['0', [...(store.hash(key) ?? [])].flat()]
      case 'hset':
        return store.hset(key, ...Object.entries(values[1] as object).flat())
      case 'hsetnx':
        return store.hget(key, rest[0]!) === null ? store.hset(key, rest[0]!, rest[1]!) : 0
      case 'del':
        return store.delete(key) ? 1 : 0
      case 'zrem':
        return this.#zrem(key, rest[0]!)
      case 'time':
        return [Math.floor(store.now() / 1_000), Math.floor((store.now() % 1_000) * 1_000)]
      default:
        return this.#runLock(command, key, rest)
    }
  }

  #zrem(key: string, member: string): number {
    const scores = this.store.zset(key)
    const removed = scores.delete(member) ? 1 : 0
    if (scores.size === 0) this.store.delete(key)
    return removed
  }

  /** What redlock's own scripts do on one server. */
  #runLock(command: string, key: string, [value, ttlMs]: readonly string[]): unknown {
    const { store } = this
    const held = store.getString(key)
    switch (command) {
      case 'lockAcquire':
        if (held !== null) return 0
        store.setString(key, value!, Number(ttlMs))
        return 1
      case 'lockExtend':
        if (held !== value) return 0
        store.setString(key, value!, Number(ttlMs))
        return 1
      case 'lockIsFree':
        return held === null ? 1 : 0
      case 'lockDelete':
        return store.delete(key) ? 1 : 0
      case 'lockRelease':
        return held === value && store.delete(key) ? 1 : 0
      default:
        throw new ReplyError(`ERR unknown command '${command}'`)
    }
  }
}
