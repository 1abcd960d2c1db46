import type { VirtualEvent, VirtualTime } from './virtual-time.ts'

/**
 * What dies and pauses as one: all timers and replies that were asked for while it ran. A crash is that none of them ever comes, so it
 * can fall between any two awaits; a pause (SIGSTOP, a long collection) is that they wait, and then all come at once.
 */
export class SimulatedProcess {
  readonly name: string
  /** Its wall clock less the true time: machines do not agree. */
  readonly clockSkewMs: number
  /** SIGTERM, told by whoever runs the verb. */
  readonly stop = new AbortController()
  readonly #time: VirtualTime
  #state: 'running' | 'paused' | 'dead' = 'running'
  #held: VirtualEvent[] = []
  /** Connections and the like, to be broken when it dies. */
  readonly #endings: (() => void)[] = []

  constructor(name: string, time: VirtualTime, clockSkewMs: number) {
    this.name = name
    this.clockSkewMs = clockSkewMs
    this.#time = time
  }

  get alive(): boolean {
    return this.#state !== 'dead'
  }

  get paused(): boolean {
    return this.#state === 'paused'
  }

  /** Runs `work` as this process. */
  run(work: () => void): void {
    this.#time.outside(work, this)
  }

  /** True when the event is to run now; one of a paused process is kept. */
  takes(event: VirtualEvent): boolean {
    if (this.#state === 'paused') this.#held.push(event)
    return this.#state === 'running'
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    const held = this.#held
    this.#held = []
    for (const event of held) if (!event.cancelled) this.#time.deliverLate(event)
  }

  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#held = []
    for (const end of this.#endings) this.#time.outside(end)
  }

  /** What the rest of the world notices when the process dies. */
  onDeath(end: () => void): void {
    this.#endings.push(end)
  }
}

/** Told of what the apps log, with the moment and who. */
export type LogLine = (process: SimulatedProcess, level: string, fields: object, message: string) => void
