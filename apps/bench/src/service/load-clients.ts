import { type BenchProcess, startProcess } from '../harness/bench-process.ts'
import type { Heard, OpenStreams } from '../stages/fan-out/client-process.ts'
import type { Received } from '../stages/fan-out/tally.ts'

/** Clients of a service under load, in a process of their own, and what they have received altogether. */
export class LoadClients implements AsyncDisposable {
  readonly #process: BenchProcess = startProcess(new URL('../stages/fan-out/client-process.ts', import.meta.url))
  #receivedTrades = 0

  get pid(): number {
    return this.#process.pid
  }

  open(options: OpenStreams): Promise<void> {
    return this.#process.ask('open', options)
  }

  heard(): Promise<Heard> {
    return this.#process.ask('heard')
  }

  /** What they have received since the last call. */
  async take(): Promise<Received> {
    const received = await this.#process.ask<Received>('take')
    this.#receivedTrades += received.timed + received.merged
    return received
  }

  /** Trades that they have been told of, as far as `take` has been called. */
  get receivedTrades(): number {
    return this.#receivedTrades
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}
