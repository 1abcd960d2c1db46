import type { ModelRedis } from './model-redis/model-redis.ts'
import type { Random } from './random.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How often a call goes wrong by itself, apart from whole links and servers. */
export interface CallFaults {
  /** Never reaches the server. */
  lost: number
  /** Runs, and the caller never hears of it. */
  replyLost: number
  /** Runs seconds later, when the caller has long given up: a segment that an old connection delivers after all. */
  late: number
  /** Runs twice; the caller hears of either. */
  repeated: number
  /** An update that a subscriber never gets. */
  updateLost: number
}

/** Nothing goes wrong. */
export const NO_CALL_FAULTS: Readonly<CallFaults> = { lost: 0, replyLost: 0, late: 0, repeated: 0, updateLost: 0 }

/** What ioredis says of a call whose connection is gone, and of one without an answer. */
export class ConnectionLostError extends Error {
  override name = 'ConnectionLostError'
  constructor() {
    super('Connection is closed.')
  }
}

export class CommandTimeoutError extends Error {
  override name = 'CommandTimeoutError'
  constructor() {
    super('Command timed out')
  }
}

/** Milliseconds of one way to Redis: mostly below one, now and then a retransmission. */
const LATENCY = { shortest: 0.2, mean: 0.8, longest: 40 }
/** How much later a late call runs. */
const LATE_MS = { min: 1_000, max: 4_000 }
/** A refused connection is noticed so soon. */
const REFUSED_MS = 1

interface PendingCall {
  readonly owner: SimulatedProcess
  settle(error: Error | undefined, reply: unknown): void
}

/** Redis and the ways to it: what each process can reach, what gets lost, and the server's own restarts. */
export class RedisNetwork {
  readonly redis: ModelRedis
  readonly time: VirtualTime
  readonly faults: CallFaults = { ...NO_CALL_FAULTS }
  /** The server answers. */
  up = true
  readonly random: Random
  readonly #tally: Tally
  readonly #cutOff = new Set<SimulatedProcess>()
  readonly #pending = new Set<PendingCall>()
  /** By process: when its last call arrives, since one connection keeps the order. */
  readonly #arrivals = new WeakMap<SimulatedProcess, number>()
  readonly #updateArrivals = new WeakMap<SimulatedProcess, number>()
  /** By key of a log: blocking reads that wait at the server. */
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #resetListeners = new Set<(which: SimulatedProcess | undefined) => void>()
  /** Connections of before a restart are gone. */
  #epoch = 0

  constructor(redis: ModelRedis, time: VirtualTime, random: Random, tally: Tally) {
    this.redis = redis
    this.time = time
    this.random = random
    this.#tally = tally
    redis.onRan(({ command, keys, reply }) => {
      if (command !== 'appendEntry' || (reply as string[])[0] !== 'OK') return
      for (const look of [...(this.#waiting.get(keys[2]!) ?? [])]) look()
    })
  }

  /** Calls `look` after every append to the log `key`; gives the function that ends it. */
  onAppend(key: string, look: () => void): () => void {
    const looks = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, looks.add(look))
    return () => looks.delete(look)
  }

  /** When an update that is published now reaches `owner`, behind those before it; undefined when it never does. */
  arrivalOfUpdate(owner: SimulatedProcess): number | undefined {
    if (!this.reaches(owner)) return undefined
    if (this.random.chance(this.faults.updateLost)) {
      this.#tally.add('updates lost')
      return undefined
    }
    const arrival = Math.max(this.time.now + this.latency(), this.#updateArrivals.get(owner) ?? 0)
    this.#updateArrivals.set(owner, arrival)
    return arrival
  }

  reaches(owner: SimulatedProcess): boolean {
    return this.up && owner.alive && !this.#cutOff.has(owner)
  }

  latency(): number {
    return this.random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest)
  }

  /** Told when connections break: those of one process, or all. */
  onReset(listener: (which: SimulatedProcess | undefined) => void): () => void {
    this.#resetListeners.add(listener)
    return () => this.#resetListeners.delete(listener)
  }

  /** Nothing gets through between the process and Redis, and neither is told. */
  cutOff(owner: SimulatedProcess): void {
    this.#cutOff.add(owner)
  }

  /** @param breaks the connections did not survive it */
  heal(owner: SimulatedProcess, breaks = true): void {
    if (this.#cutOff.delete(owner) && breaks) this.reset(owner)
  }

  /** Breaks connections: of one process, or of all. What is on its way is lost with them, or has run without an answer. */
  reset(which?: SimulatedProcess): void {
    if (which === undefined) this.#epoch++
    for (const call of [...this.#pending]) {
      // Who is cut off is not told either, and waits until its time is over.
      if (which === undefined ? this.#cutOff.has(call.owner) : call.owner !== which) continue
      this.#pending.delete(call)
      this.time.after(REFUSED_MS, () => call.settle(new ConnectionLostError(), undefined), call.owner)
    }
    for (const listener of [...this.#resetListeners]) listener(which)
  }

  stop(): void {
    this.up = false
    this.reset()
  }

  start(): void {
    this.up = true
  }

  /**
   * Sends a command for `owner`; the answer comes as an event of that process.
   * @param timeoutMs after which the client gives up, its outcome unknown
   */
  call(owner: SimulatedProcess, timeoutMs: number, run: () => unknown): Promise<unknown> {
    const { time } = this
    return new Promise((resolve, reject) => {
      if (!this.up) {
        time.after(REFUSED_MS, () => reject(new ConnectionLostError()), owner)
        return
      }
      const call: PendingCall = {
        owner,
        settle: (error, reply) => {
          timeout.cancelled = true
          if (error === undefined) resolve(reply)
          else reject(error)
        },
      }
      const timeout = time.after(
        timeoutMs,
        () => {
          this.#pending.delete(call)
          reject(new CommandTimeoutError())
        },
        owner,
      )
      this.#pending.add(call)
      this.#send(call, run)
    })
  }

  #send(call: PendingCall, run: () => unknown): void {
    const { time, faults } = this
    const { owner } = call
    const epoch = this.#epoch
    const fate = this.random.next()
    if (this.#cutOff.has(owner) || fate < faults.lost) {
      this.#tally.add('calls lost')
      return
    }
    const upTo = { replyLost: faults.lost + faults.replyLost, late: 0, repeated: 0 }
    upTo.late = upTo.replyLost + faults.late
    upTo.repeated = upTo.late + faults.repeated
    const isReplyLost = fate < upTo.replyLost
    const isLate = !isReplyLost && fate < upTo.late
    const isRepeated = !isReplyLost && !isLate && fate < upTo.repeated
    const answers = isReplyLost ? 0 : isRepeated ? this.random.integer(1, 2) : 1
    if (isReplyLost) this.#tally.add('replies lost')
    if (isLate) this.#tally.add('late calls')
    if (isRepeated) this.#tally.add('repeated calls')
    const arrive = (isAnswered: boolean) => () => {
      if (epoch !== this.#epoch || !this.up) return
      this.#run(call, run, isAnswered)
    }
    if (isLate) {
      time.at(time.now + this.random.integer(LATE_MS.min, LATE_MS.max), arrive(false), undefined)
      return
    }
    const arrival = Math.max(time.now + this.latency(), this.#arrivals.get(owner) ?? 0)
    this.#arrivals.set(owner, arrival)
    time.at(arrival, arrive(answers === 1), undefined)
    if (isRepeated) time.at(arrival + this.random.integer(0, 1_500), arrive(answers === 2), undefined)
  }

  #run(call: PendingCall, run: () => unknown, isAnswered: boolean): void {
    let error: Error | undefined
    let reply: unknown
    try {
      reply = run()
    } catch (thrown) {
      error = thrown as Error
    }
    if (!isAnswered || this.#cutOff.has(call.owner)) return
    this.time.after(
      this.latency(),
      () => {
        if (this.#pending.delete(call)) call.settle(error, reply)
      },
      call.owner,
    )
  }
}
