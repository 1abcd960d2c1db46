import type { Mutation } from '../mutations.ts'
import type { Keyspace } from './keyspace.ts'

/** What a script of libs/redis/src/scripts is given and gives, in the model. */
export interface ScriptCall {
  readonly store: Keyspace
  /** KEYS and ARGV of the Lua, counted from 0. */
  readonly keys: readonly string[]
  readonly args: readonly (string | Buffer)[]
  /** The guard that is taken away, if any. */
  readonly mutation: Mutation | undefined
  /** What the script published. */
  publish(channel: string, bytes: Buffer): void
}

export type Script = (call: ScriptCall) => unknown

/** An answer of Redis that is an error, as ioredis gives it. */
export class ReplyError extends Error {
  override name = 'ReplyError'
}

/** An argument as text. */
export function textOf(value: string | Buffer | undefined): string {
  if (value === undefined) throw new ReplyError('ERR an argument is missing')
  return typeof value === 'string' ? value : value.toString('latin1')
}

/** An argument as bytes. */
export function bytesOf(value: string | Buffer | undefined): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : (value ?? Buffer.alloc(0))
}

/** What XADD says of a number that is not above the last. */
export const TOO_LOW = 'ERR The ID specified in XADD is equal or smaller than the target stream top item'

/** True when the owner hash keys[0] has another token than `token`. */
export function isFenced({ store, keys, mutation }: ScriptCall, token: string): boolean {
  if (mutation === 'no-fence' || mutation === 'no-fence-no-position-check') return false
  return store.hget(keys[0]!, 'token') !== token
}
