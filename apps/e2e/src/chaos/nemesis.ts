import { setTimeout as sleep } from 'node:timers/promises'
import { drawPlan, type FaultPlan, type Target } from './fault-plan.ts'
import { type Fleet, leadsShard, type Member } from './fleet.ts'
import type { Random } from './random.ts'
import { killServer, pauseServer } from './server-faults.ts'

/** Redis and PostgreSQL are left alone for this long after a fault of theirs, so that the processes' own faults are seen too. */
const SERVER_REST_MS = 4_000
/** Plans drawn for one moment until one can be injected. */
const DRAWS_MAX = 50

/** A fault that was injected. Times are those of performance.now(). */
export interface InjectedFault extends Omit<FaultPlan, 'share'> {
  /** `aggregator-2`, `network of edge-1`, `redis` */
  readonly victim: string
  readonly time: number
  /** When it was over, though nothing may have recovered yet. */
  endTime: number
}

export interface NemesisOptions {
  readonly fleet: Fleet
  readonly random: Random
  readonly everyMs: number
  readonly targets: readonly Target[]
  /** Only kills, and of ingestors only the one that leads. */
  readonly takeoversOnly: boolean
  readonly onFault: (fault: InjectedFault) => void
}

/**
 * Injects what the seed has drawn, one fault every `everyMs`. They overlap as they will, but one victim has one at a time, and of each app
 * one replica is always spared, so that another can take over.
 */
export class Nemesis {
  readonly injected: InjectedFault[] = []
  /** Faults that could not be brought to their end, such as a server that did not come back. */
  readonly failures: string[] = []
  readonly #options: NemesisOptions
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: NemesisOptions) {
    this.#options = options
  }

  /** Goes on until `untilTime` of performance.now(), and returns when every fault is over. */
  async run(untilTime: number): Promise<void> {
    for (let next = performance.now(); next < untilTime; next += this.#options.everyMs) {
      await sleep(Math.max(0, next - performance.now()))
      for (let draws = 0; draws < DRAWS_MAX; draws++) if (await this.#injectNext()) break
    }
    await Promise.all(this.#running.values())
  }

  /** False when what was drawn cannot be injected now. */
  async #injectNext(): Promise<boolean> {
    const { fleet, random, targets, takeoversOnly } = this.#options
    const plan = drawPlan(random, targets)
    const { target, kind, share, ms } = plan
    if (takeoversOnly && kind !== 'kill') return false
    if (target === 'redis' || target === 'postgres') {
      if (this.#running.has(target)) return false
      const server = fleet[target]
      this.#begin(plan, target, () => (kind === 'kill' ? killServer(server, ms) : pauseServer(server, ms)))
      return true
    }
    const members = target === 'redis-connection' ? fleet.members : fleet.membersOf(target)
    const member = members[Math.floor(share * members.length)]!
    if (!this.#mayHit(member)) return false
    if (takeoversOnly && target === 'ingestor' && !(await leadsShard(member))) return false
    const { replica, redisLink } = member
    switch (kind) {
      case 'kill':
        this.#begin(plan, replica.name, () => replica.kill(ms))
        break
      case 'stop':
        this.#begin(plan, replica.name, () => replica.pause(ms))
        break
      case 'cut':
        this.#begin(plan, networkOf(member), async () => void redisLink.cut())
        break
      case 'stall':
        this.#begin(plan, networkOf(member), () => redisLink.stall(ms))
        break
      default:
        kind satisfies never
    }
    return true
  }

  #mayHit(member: Member): boolean {
    const others = this.#options.fleet.membersOf(member.replica.app).filter(other => other !== member)
    return !this.#isHit(member) && (others.length === 0 || others.some(other => !this.#isHit(other)))
  }

  #isHit(member: Member): boolean {
    return this.#running.has(member.replica.name) || this.#running.has(networkOf(member))
  }

  #begin({ target, kind, ms }: FaultPlan, victim: string, inject: () => Promise<void>): void {
    const fault = { target, kind, ms, victim, time: performance.now(), endTime: Number.POSITIVE_INFINITY }
    this.injected.push(fault)
    this.#options.onFault(fault)
    const restMs = target === 'redis' || target === 'postgres' ? SERVER_REST_MS : 0
    const done = inject()
      .catch(error => this.failures.push(`${kind} ${victim}: ${(error as Error).message}`))
      .then(async () => {
        fault.endTime = performance.now()
        await sleep(restMs)
        this.#running.delete(victim)
      })
    this.#running.set(victim, done)
  }
}

function networkOf({ replica }: Member): string {
  return `network of ${replica.name}`
}
