import type { WorkQueue } from '@chart/persister'
import type { BarJob, BarQueue } from '@chart/redis'
import type { Random } from './random.ts'
import { ConnectionLostError } from './redis-network.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How often a job goes wrong. */
export interface QueueFaults {
  /** Forgotten by the queue's Redis. */
  lost: number
  /** Given to two workers, as after a lock that ran out. */
  repeated: number
  /** Taken later than jobs that came after it. */
  delayed: number
  /** The queue's Redis does not answer. */
  away: boolean
}

export const NO_QUEUE_FAULTS: Readonly<QueueFaults> = { lost: 0, repeated: 0, delayed: 0, away: false }

const LATENCY = { shortest: 0.5, mean: 1.5, longest: 60 }
const DELAYED_MS = { min: 50, max: 3_000 }
const REFUSED_MS = 5
/** As libs/redis/src/bar-queue.ts has them. */
const JOB_ENTRIES_MAX = 100
const LOCK_MS = 30_000
const STALLED_CHECK_MS = 15_000

interface Job {
  readonly id: string
  readonly data: BarJob
}

type Work = Parameters<WorkQueue>[0]

interface Worker {
  readonly owner: SimulatedProcess
  readonly work: Work
  running: number
}

/** BullMQ, as far as the service uses it: jobs with ids, workers with a lock on what they took, a pause after temporary errors. */
export class ModelQueue {
  readonly faults: QueueFaults = { ...NO_QUEUE_FAULTS }
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #tally: Tally
  readonly #known = new Set<string>()
  #waiting: Job[] = []
  #workers: Worker[] = []
  #pausedUntil = 0
  failed = 0

  constructor(time: VirtualTime, random: Random, tally: Tally) {
    this.#time = time
    this.#random = random
    this.#tally = tally
  }

  /** The producer's end, for one process. */
  producerFor(owner: SimulatedProcess, onEnqueued: (job: BarJob) => void = () => undefined): BarQueue {
    const call = <T>(run: () => T) => this.#call(owner, run)
    return {
      enqueue: (tag, jobKey, entries) =>
        call(() => {
          let jobs = 0
          for (let start = 0; start < entries.length; start += JOB_ENTRIES_MAX) {
            const data = { tag, entries: entries.slice(start, start + JOB_ENTRIES_MAX) }
            this.#add({ id: `${tag} ${jobKey} ${jobs++}`, data })
            onEnqueued(data)
          }
          return jobs
        }),
      waitingCount: () => call(() => this.#waiting.length),
      failedCount: () => call(() => this.failed),
      close: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** The persister's end, for one process. */
  async work(owner: SimulatedProcess, work: Work): Promise<void> {
    const worker: Worker = { owner, work, running: 0 }
    this.#workers.push(worker)
    owner.onDeath(() => this.#leave(worker))
    this.#deal()
    await new Promise<void>(resolve => {
      work.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#leave(worker)
  }

  #call<T>(owner: SimulatedProcess, run: () => T): Promise<T> {
    const random = this.#random
    return new Promise((resolve, reject) => {
      if (this.faults.away) {
        this.#time.after(REFUSED_MS, () => reject(new ConnectionLostError()), owner)
        return
      }
      const latency = () => random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest)
      const arrive = () => {
        if (this.faults.away) return this.#time.after(REFUSED_MS, () => reject(new ConnectionLostError()), owner)
        const reply = run()
        return this.#time.after(latency(), () => resolve(reply), owner)
      }
      this.#time.at(this.#time.now + latency(), arrive, undefined)
    })
  }

  #add(job: Job): void {
    if (this.#known.has(job.id)) return
    if (this.#random.chance(this.faults.lost)) {
      this.#tally.add('jobs lost')
      return
    }
    this.#known.add(job.id)
    const isDelayed = this.#random.chance(this.faults.delayed)
    if (isDelayed) this.#tally.add('jobs delayed')
    const delayMs = isDelayed ? this.#random.integer(DELAYED_MS.min, DELAYED_MS.max) : 0
    this.#time.at(this.#time.now + delayMs, () => this.#wait(job), undefined)
    if (this.#random.chance(this.faults.repeated)) {
      this.#tally.add('jobs repeated')
      this.#time.at(this.#time.now + this.#random.integer(0, 2 * DELAYED_MS.max), () => this.#wait(job), undefined)
    }
  }

  #wait(job: Job): void {
    this.#waiting.push(job)
    this.#deal()
  }

  /** Hands out what waits to workers that have room. */
  #deal(): void {
    const now = this.#time.now
    if (this.#waiting.length === 0) return
    if (now < this.#pausedUntil) return
    for (;;) {
      const free = this.#workers.filter(worker => worker.running < worker.work.concurrency && worker.owner.alive)
      if (this.#waiting.length === 0 || free.length === 0) return
      const worker = this.#random.pick(free)
      const job = this.#waiting.shift()!
      worker.running++
      const latency = this.#random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest)
      this.#time.after(latency, () => void this.#handle(worker, job), worker.owner)
      this.#watchLock(worker, job)
    }
  }

  /** Runs as the worker's process, so a crash leaves the job without an end. */
  async #handle(worker: Worker, job: Job): Promise<void> {
    try {
      const refused = await worker.work.handle(job.data)
      if (refused !== undefined) this.failed++
      this.#known.delete(job.id)
    } catch (error) {
      if (worker.work.isTemporary(error)) {
        this.#waiting.unshift(job)
        this.#pause(worker.work.retryDelayMs)
      } else {
        this.failed++
        this.#tally.add('jobs failed')
      }
    }
    worker.running--
    this.#time.outside(() => this.#time.after(0, () => this.#deal(), undefined))
  }

  #pause(ms: number): void {
    this.#pausedUntil = this.#time.now + ms
    this.#time.at(this.#pausedUntil, () => this.#deal(), undefined)
  }

  /** A worker that died has its job taken over when its lock has run out and someone looks. */
  #watchLock({ owner }: Worker, job: Job): void {
    owner.onDeath(() => {
      if (!this.#known.has(job.id)) return
      const lookMs = LOCK_MS + this.#random.integer(0, STALLED_CHECK_MS)
      this.#time.at(this.#time.now + lookMs, () => this.#known.has(job.id) && this.#wait(job), undefined)
    })
  }

  #leave(worker: Worker): void {
    this.#workers = this.#workers.filter(one => one !== worker)
  }
}
