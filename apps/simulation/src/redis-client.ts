import {
  type BarUpdates,
  type BarUpdatesOptions,
  type BlockingRedis,
  LEASE_MS,
  type LeaderLock,
  type RedisCommands,
  updatesChannel,
} from '@chart/redis'
import type { StreamEntry } from './model-redis/keyspace.ts'
import type { Argument } from './model-redis/model-redis.ts'
import { ConnectionLostError, type RedisNetwork } from './redis-network.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/** As libs/redis/src/connection.ts has it. */
const COMMAND_TIMEOUT_MS = 1_000
/** A blocking read's socket is half-open when it is silent for this long beyond the wait. */
const READ_MARGIN_MS = 1_000
/** As libs/redis/src/leader-lock.ts has it. */
const LOCK_TIMEOUT_MS = LEASE_MS / 3 - 50
/** What redlock takes off a lease for clocks that run unevenly. */
const LOCK_DRIFT_MS = Math.round(0.01 * LEASE_MS) + 2
/** A client tries again at most so soon and so late. */
const RECONNECT_MS = { min: 25, max: 300 }
/** A reader that cannot be opened for so long gives up, as a process at its start does. */
const OPEN_TIMEOUT_MS = 15_000

export interface ClientOptions {
  readonly network: RedisNetwork
  readonly owner: SimulatedProcess
  /** A commit is sent as two commands: the mutation state-apart. */
  readonly commitsApart: boolean
  /** Sees every command before it is sent. */
  onCall(command: string, values: readonly Argument[]): void
}

/** The connection that a process has for commands and scripts. */
export function commandsOf({ network, owner, commitsApart, onCall }: ClientOptions): RedisCommands {
  const call = (command: string, values: readonly Argument[]) =>
    network.call(owner, COMMAND_TIMEOUT_MS, () => network.redis.run(command, values))
  const commitApart = async (...values: Argument[]) => {
    const first = (await call('commitBarsApart', values)) as string[]
    return first[0] === 'OK' ? call('commitPositionApart', values) : first
  }
  return new Proxy({} as RedisCommands, {
    get(_, name) {
      if (name === 'then') return undefined
      if (name === 'commitBars' && commitsApart) return commitApart
      return (...values: Argument[]) => {
        onCall(String(name), values)
        return call(String(name), values)
      }
    },
  })
}

type Reply = Awaited<ReturnType<BlockingRedis['xreadBuffer']>>

/** A connection for blocking reads, as openBlockingRedis gives it; the signal closes it. */
export async function openReader({ network, owner }: ClientOptions, signal: AbortSignal): Promise<BlockingRedis> {
  await untilReached(network, owner, signal)
  let closed = false
  let failRead: ((error: Error) => void) | undefined
  const fail = () => {
    failRead?.(new ConnectionLostError())
    failRead = undefined
  }
  const close = () => {
    closed = true
    fail()
  }
  signal.addEventListener('abort', close, { once: true })
  owner.onDeath(
    network.onReset(which => {
      if (which === undefined || which === owner) network.time.after(1, fail, owner)
    }),
  )
  return {
    xreadBuffer(...[, countMax, , blockMs, , key, after]) {
      return new Promise<Reply>((resolve, reject) => {
        if (closed || !network.up) {
          network.time.after(1, () => reject(new ConnectionLostError()), owner)
          return
        }
        failRead = reject
        const read = { key, after: Number(after.split('-')[0]), countMax, blockMs }
        waitForEntries(network, owner, read, entries => {
          failRead = undefined
          resolve(entries.length === 0 ? null : [[Buffer.from(key), entries.map(rowOf)]])
        })
        network.time.after(blockMs + READ_MARGIN_MS, () => failRead === reject && fail(), owner)
      })
    },
    disconnect: close,
  }
}

function rowOf({ n, nonce, payload, traceparent }: StreamEntry): [Buffer, Buffer[]] {
  const fields = [Buffer.from('nonce'), Buffer.from(nonce), Buffer.from('entry'), payload]
  if (traceparent !== undefined) fields.push(Buffer.from('traceparent'), Buffer.from(traceparent))
  return [Buffer.from(`${n}-0`), fields]
}

/** XREAD BLOCK at the server: answers when there is something, or with nothing when the time is over. */
function waitForEntries(
  network: RedisNetwork,
  owner: SimulatedProcess,
  read: { key: string; after: number; countMax: number; blockMs: number },
  resolve: (entries: readonly StreamEntry[]) => void,
): void {
  const { time, redis } = network
  let stopListening = () => {}
  let answered = false
  const answer = (entries: readonly StreamEntry[]) => {
    if (answered) return
    answered = true
    stopListening()
    if (network.reaches(owner)) time.after(network.latency(), () => resolve(entries), owner)
  }
  const look = () => {
    const entries = redis.readLog(read.key, read.after, read.countMax)
    if (entries.length > 0) answer(entries)
    return entries.length > 0
  }
  time.at(
    time.now + network.latency(),
    () => {
      if (!network.reaches(owner) || look()) return
      stopListening = network.onAppend(read.key, look)
      time.at(time.now + read.blockMs, () => answer([]), undefined)
    },
    undefined,
  )
}

/** Resolves when the process has a connection. */
function untilReached(network: RedisNetwork, owner: SimulatedProcess, signal: AbortSignal): Promise<void> {
  const { time } = network
  const giveUpTime = time.now + OPEN_TIMEOUT_MS
  return new Promise((resolve, reject) => {
    const attempt = () => {
      if (signal.aborted) reject(signal.reason)
      else if (network.reaches(owner)) time.after(2 * network.latency(), resolve, owner)
      else if (time.now > giveUpTime) reject(new ConnectionLostError())
      else time.after(RECONNECT_MS.max, attempt, owner)
    }
    attempt()
  })
}

/** The lease of a feed shard, as redlock would keep it on one server. */
export function openLock({ network, owner }: ClientOptions, shard: number): LeaderLock {
  const key = `lease:feed:${shard}`
  const run = (command: string, value = '') =>
    network.call(owner, LOCK_TIMEOUT_MS, () => network.redis.run(command, [key, value, LEASE_MS]))
  let held: { value: string; expiration: number } | undefined
  let count = 0
  const endOf = (start: number) => start + LEASE_MS - LOCK_DRIFT_MS
  const lock: LeaderLock = {
    isFree: () =>
      run('lockIsFree').then(
        answer => answer === 1,
        () => undefined,
      ),
    async take() {
      const isTaken = await run('lockDelete').then(
        () => true,
        () => false,
      )
      return isTaken && lock.acquire()
    },
    async acquire() {
      const value = `${owner.name}-${++count}-${Date.now()}`
      const start = Date.now()
      try {
        if ((await run('lockAcquire', value)) !== 1) return false
        held = { value, expiration: endOf(start) }
        return held.expiration > Date.now()
      } catch {
        return false
      }
    },
    async extend() {
      if (held === undefined) return false
      const start = Date.now()
      if (held.expiration < start) return false
      try {
        if ((await run('lockExtend', held.value)) === 1) {
          held.expiration = endOf(start)
          return true
        }
      } catch {
        // No answer takes nothing away.
      }
      return held.expiration > Date.now()
    },
    async release() {
      const { value } = held ?? {}
      held = undefined
      if (value !== undefined) await run('lockRelease', value).catch(() => undefined)
    },
    [Symbol.asyncDispose]: () => lock.release(),
  }
  return lock
}

/** A subscriber to updates, as openBarUpdates gives it. */
export async function openUpdates(
  { network, owner }: ClientOptions,
  listener: Pick<BarUpdatesOptions, 'onUpdate' | 'onReconnect'>,
): Promise<BarUpdates> {
  const { time } = network
  const subscribed = new Set<string>()
  let connected = true
  const reconnect = () => {
    if (connected) return
    if (!network.reaches(owner)) {
      time.after(RECONNECT_MS.max, reconnect, owner)
      return
    }
    connected = true
    listener.onReconnect(new Set(subscribed))
  }
  owner.onDeath(
    network.onReset(which => {
      if (which !== undefined && which !== owner) return
      connected = false
      network.missedUpdates.add(owner)
      time.after(network.random.integer(RECONNECT_MS.min, RECONNECT_MS.max), reconnect, owner)
    }),
  )
  owner.onDeath(
    network.redis.onPublish((channel, bytes) => {
      const tag = channel.slice(updatesChannel('').length)
      if (!connected || !subscribed.has(tag)) return
      const arrival = network.arrivalOfUpdate(owner)
      if (arrival !== undefined) time.at(arrival, () => listener.onUpdate(tag, bytes), owner)
    }),
  )
  return {
    async subscribe(tag) {
      await network.call(owner, COMMAND_TIMEOUT_MS, () => subscribed.add(tag))
    },
    async [Symbol.asyncDispose]() {
      subscribed.clear()
    },
  }
}
