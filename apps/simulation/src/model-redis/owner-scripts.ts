import { isFenced, type Script, textOf } from './script.ts'

/** scripts/claim.lua */
export const claim: Script = ({ store, keys, args }) => {
  const [owner, lease] = keys as [string, string]
  const [name, leaseMs, force, uuid, shard] = args.map(textOf) as [string, string, string, string, string]
  const holder = store.getString(lease)
  if (holder !== null && holder !== name && force !== '1') {
    const value = store.get(lease)
    const leftMs = value?.type === 'string' ? Math.ceil(value.expiresAt - store.now()) : -2
    return ['BUSY', String(leftMs)]
  }
  const epoch = Number(store.hget(owner, 'epoch') ?? '0') + 1
  const token = `${epoch}:${uuid}`
  store.hset(owner, 'epoch', epoch, 'token', token, 'owner', name)
  if (shard !== '') store.hset(owner, 'shard', shard)
  store.setString(lease, name, Number(leaseMs))
  return ['OK', token]
}

/** scripts/renew.lua */
export const renew: Script = call => {
  const { store, keys, args } = call
  const [name, leaseMs, token] = args.map(textOf) as [string, string, string]
  if (isFenced(call, token)) return ['FENCED']
  store.setString(keys[1]!, name, Number(leaseMs))
  return ['OK']
}

/** scripts/release.lua */
export const release: Script = ({ store, keys, args }) => {
  const [owner, lease] = keys as [string, string]
  const [name, token] = args.map(textOf) as [string, string]
  if (store.hget(owner, 'token') !== token) return ['FENCED']
  store.hset(owner, 'token', 'free')
  if (store.getString(lease) === name) store.delete(lease)
  return ['OK']
}

/** scripts/heartbeat.lua */
export const heartbeat: Script = ({ store, keys, args }) => {
  const [member, silentMs] = args.map(textOf) as [string, string]
  const now = Math.floor(store.now())
  const members = store.zset(keys[0]!)
  members.set(member, now)
  for (const [name, score] of members) if (score <= now - Number(silentMs)) members.delete(name)
  return [...members].sort(([nameA, a], [nameB, b]) => a - b || (nameA < nameB ? -1 : 1)).map(([name]) => name)
}
