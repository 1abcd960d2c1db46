import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'

type Argument = string | number | Buffer

/** The scripts of scripts/*.lua as methods: number of keys, keys, arguments. What each answers stands in its head. */
export interface Scripts {
  heartbeatMember(keys: number, ...rest: Argument[]): Promise<string[]>
  claimPartition(keys: number, ...rest: Argument[]): Promise<string[]>
  renewPartition(keys: number, ...rest: Argument[]): Promise<string[]>
  releasePartition(keys: number, ...rest: Argument[]): Promise<string[]>
  appendEntry(keys: number, ...rest: Argument[]): Promise<string[]>
  writeFeedStates(keys: number, ...rest: Argument[]): Promise<string[]>
  commitBars(keys: number, ...rest: Argument[]): Promise<string[]>
  rewindLog(keys: number, ...rest: Argument[]): Promise<string[]>
  acknowledgeBars(keys: number, ...rest: Argument[]): Promise<number>
  restateBar(keys: number, ...rest: Argument[]): Promise<string[]>
  lookAtPartition(keys: number, ...rest: Argument[]): Promise<[holder: string, pos: string, seq: string]>
  readHashes(keys: number, ...rest: Argument[]): Promise<string[][]>
}

const FILES: Record<keyof Scripts, string> = {
  heartbeatMember: 'heartbeat',
  claimPartition: 'claim',
  renewPartition: 'renew',
  releasePartition: 'release',
  appendEntry: 'append',
  writeFeedStates: 'feed-states',
  commitBars: 'commit',
  rewindLog: 'rewind',
  acknowledgeBars: 'acknowledge',
  restateBar: 'restate',
  lookAtPartition: 'look',
  readHashes: 'read-hashes',
}

/** Adds the scripts to a connection. They go by EVALSHA, and by EVAL once where Redis does not know them (after a restart). */
export function defineScripts(redis: Redis | Cluster): void {
  for (const [command, file] of Object.entries(FILES)) {
    redis.defineCommand(command, { lua: readFileSync(new URL(`scripts/${file}.lua`, import.meta.url), 'utf8') })
  }
}
