/** Number of the partition, 0 … partitions − 1, that a symbol belongs to: FNV-1a of its name, fixed for ever. */
export function partitionOf(symbol: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < symbol.length; index++) {
    hash ^= symbol.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % partitions
}

/**
 * The members in the order in which they want `key` (rendezvous hashing): the first should own it, the second stands by.
 * A member that joins or leaves moves only its own share.
 */
export function rankMembers(key: string, members: readonly string[]): string[] {
  return members
    .map(member => ({ member, weight: mix(`${key}|${member}`) }))
    .sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1))
    .map(({ member }) => member)
}

/** FNV-1a with a final avalanche (Murmur3's), without which names that differ in the last letter rank alike. */
function mix(text: string): number {
  let hash = partitionOf(text, 2 ** 32)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
