import { bytesOf, isFenced, type Script, TOO_LOW, textOf } from './script.ts'

/** scripts/rewind.lua */
export const rewind: Script = call => {
  const { store, keys, args, mutation } = call
  const [, headsKey, logKey, positionKey] = keys as [string, string, string, string]
  if (isFenced(call, textOf(args[0]))) return ['FENCED']
  const stream = store.stream(logKey)
  const pos = Number(store.hget(positionKey, 'pos') ?? '0')
  if (mutation === 'no-rewind') return stepOver(call, pos)
  const seq = Number(store.hget(headsKey, 'seq') ?? '0')
  const at = Math.max(seq, pos, stream?.lastNumber ?? 0)
  for (const [index, argument] of args.slice(1).entries()) {
    const symbol = textOf(argument)
    const last = store.hget(keys[4 + index]!, 'lastTradeId')
    if (last === null) store.hdel(headsKey, symbol)
    else store.hset(headsKey, symbol, last)
  }
  store.hset(headsKey, 'seq', at)
  store.delete(logKey)
  store.hset(positionKey, 'pos', at, 'rev', Number(store.hget(positionKey, 'rev') ?? '0') + 1)
  return ['OK', String(at)]
}

/** Reads on behind the hole, as a reader would that takes what comes. */
const stepOver = ({ store, keys }: Parameters<Script>[0], pos: number): string[] => {
  const next = store.stream(keys[2]!)?.entries.find(entry => entry.n > pos)
  const at = next === undefined ? pos : Math.max(pos, next.n - 1)
  store.hset(keys[3]!, 'pos', at, 'rev', Number(store.hget(keys[3]!, 'rev') ?? '0') + 1)
  return ['OK', String(at)]
}

/** scripts/feed-states.lua */
export const feedStates: Script = call => {
  const { store, keys, args } = call
  if (isFenced(call, textOf(args[0]))) return ['FENCED']
  for (const [index, key] of keys.slice(1).entries()) store.hset(key, 'state', textOf(args[1 + index]))
  return ['OK']
}

/** scripts/acknowledge.lua */
export const acknowledge: Script = ({ store, keys, args }) => {
  let removed = 0
  for (let index = 0; index < args.length; index += 2) {
    const field = textOf(args[index])
    if (store.hget(keys[0]!, field) === textOf(args[index + 1])) removed += store.hdel(keys[0]!, field)
  }
  return removed
}

/** scripts/read-hashes.lua */
export const readHashes: Script = ({ store, keys }) => keys.map(key => [...(store.hash(key) ?? [])].flat())

/** scripts/look.lua */
export const look: Script = ({ store, keys }) => [
  store.getString(keys[0]!) ?? '',
  store.hget(keys[1]!, 'pos') ?? '0',
  store.hget(keys[2]!, 'seq') ?? '0',
]

/** scripts/restate.lua */
export const restate: Script = ({ store, keys, args }) => {
  const [headsKey, logKey] = keys as [string, string]
  const seq = store.hget(headsKey, 'seq')
  if (seq === null) return ['UNSEEDED']
  const n = Number(seq) + 1
  const added = store.xadd(logKey, { n, nonce: textOf(args[0]), payload: bytesOf(args[1]) })
  if (added === undefined) return ['CORRUPT', TOO_LOW]
  store.hset(headsKey, 'seq', n)
  return ['OK', String(n)]
}
