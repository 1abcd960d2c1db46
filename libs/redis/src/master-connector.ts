import { setTimeout as sleep } from 'node:timers/promises'
import type { AbstractConnector, RedisOptions } from 'ioredis'
import type { NetStream } from './dial.ts'
import { type Place, textOf } from './redis-address.ts'
import { DiallingConnector } from './server-connector.ts'

/** Pause after all were asked in vain, growing by attempt. */
const ASK_RETRY_MS = 50
const ASK_RETRY_MAX_MS = 250
/**
 * How often a connection asks whether its server is still the master. One that is lost, hangs or is demoted shows it by itself; this is
 * for one that only its Sentinels or its cluster have lost, and that would go on answering us alone.
 */
const LOOK_AGAIN_MS = 5_000
/** How many must name another master before a connection that works is given up for it: during a failover their views differ. */
const WITNESSES = 2

type Emit = (type: string, error: Error) => void

/** What a Sentinel or a node of a cluster believes. */
export interface MasterView {
  readonly master: Place | undefined
  /** Whom to ask the next time. */
  readonly witnesses: readonly Place[]
}

export interface MasterSource {
  /** What is looked for, for messages. */
  readonly what: string
  /** Whom to ask at first. */
  readonly witnesses: readonly Place[]
  ask(witness: Place): Promise<MasterView>
}

/**
 * Makes the connections of a client that speaks to whoever is the master. Each time that one is made it asks for the master's address, so
 * that the client is an ordinary `Redis` with one socket, and every setting of a single Redis holds for it word for word.
 *
 * ioredis' own connector for Sentinel is not used: its detector of failovers ended a client for good when the news came while the
 * client was asking a Sentinel (one of three masters killed), and without the detector nothing leaves a master that is cut off.
 */
export function masterConnector(source: MasterSource): new (options: unknown) => AbstractConnector {
  return class extends MasterConnector {
    constructor(options: unknown) {
      super(source, options as RedisOptions)
    }
  }
}

class MasterConnector extends DiallingConnector {
  readonly #source: MasterSource
  #witnesses: readonly Place[]
  #last: Place | undefined

  constructor(source: MasterSource, options: RedisOptions) {
    super(options)
    this.#source = source
    this.#witnesses = source.witnesses
  }

  /** A server that has just become a replica is left again. */
  override check(info: { role?: string }): boolean {
    return info.role === undefined || info.role === 'master'
  }

  override async connect(emit: Emit): Promise<NetStream> {
    this.connecting = true
    for (let attempt = 1; ; attempt++) {
      const { masters, reason } = await this.#ask(1)
      // Closed meanwhile: this error is the end of the client.
      if (!this.connecting) throw new Error('Connection is closed.')
      if (masters[0] !== undefined) return this.#dialMaster(masters[0])
      emit('error', new Error(`nobody names ${this.#source.what}: ${reason}`))
      await sleep(Math.min(attempt * ASK_RETRY_MS, ASK_RETRY_MAX_MS))
    }
  }

  #dialMaster(master: Place): NetStream {
    this.#last = master
    const stream = this.dial(master)
    // Spread, since a deployment's connections are often made at the same moment.
    const timer = setInterval(() => this.#lookAgain(master, stream), LOOK_AGAIN_MS * (0.75 + Math.random() / 2))
    stream.once('close', () => clearInterval(timer))
    return stream
  }

  async #lookAgain(master: Place, stream: NetStream): Promise<void> {
    const { masters } = await this.#ask(WITNESSES)
    if (masters.length === 0 || masters.some(one => isSame(one, master) || !isSame(one, masters[0]))) return
    stream.destroy(new Error(`${this.#source.what} is ${textOf(masters[0]!)} now`))
  }

  /** What the first `count` that have an answer name, and why others have none. */
  async #ask(count: number): Promise<{ masters: Place[]; reason: string }> {
    const masters: Place[] = []
    let reason = 'none knows it'
    for (const witness of this.#inOrder()) {
      if (!this.connecting || masters.length === count) break
      try {
        const view = await this.#source.ask(witness)
        this.#witnesses = view.witnesses
        if (view.master !== undefined) masters.push(view.master)
      } catch (error) {
        reason = `${textOf(witness)}: ${(error as Error).message}`
      }
    }
    if (masters.length === 0) this.#askAllNextTime()
    return { masters, reason }
  }

  /** The addresses that were given are tried again as well: everything known since may have moved. */
  #askAllNextTime(): void {
    const given = this.#source.witnesses.filter(one => !this.#witnesses.some(known => isSame(known, one)))
    this.#witnesses = [...this.#witnesses, ...given]
  }

  /** At random; the one that we are or were connected to comes last, since it may hang or be cut off. */
  #inOrder(): Place[] {
    const drawn = this.#witnesses.map(place => ({ place, at: isSame(place, this.#last) ? 1 : Math.random() }))
    return drawn.sort((a, b) => a.at - b.at).map(({ place }) => place)
  }
}

function isSame(one: Place, other: Place | undefined): boolean {
  return one.host === other?.host && one.port === other.port
}
