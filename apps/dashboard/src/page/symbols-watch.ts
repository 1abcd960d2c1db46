import type { SymbolsAnswer } from '../wire.ts'
import { backoffMs } from './backoff.ts'
import { askSymbols } from './server.ts'

/** What is served is asked for this often, for symbols come and go; and missing bars, which may have been put in. */
const EVERY_MS = 60_000

export interface SymbolsReader {
  onSymbols(answer: SymbolsAnswer, clockAheadMs: number): void
  /** The server has not answered. @returns whether it is to be asked again soon */
  onNoSymbols(): boolean
}

/** Asks what is served: once a minute, and sooner where the server has not answered. */
export class SymbolsWatch {
  readonly #reader: SymbolsReader
  #askedTime = Number.NEGATIVE_INFINITY
  #isAsking = false
  #tries = 0

  constructor(reader: SymbolsReader) {
    this.#reader = reader
  }

  /** To be called every second. */
  look(): void {
    if (!this.#isAsking && performance.now() - this.#askedTime > EVERY_MS) this.ask()
  }

  async ask(): Promise<void> {
    this.#askedTime = performance.now()
    this.#isAsking = true
    try {
      const { answer, clockAheadMs } = await askSymbols()
      this.#tries = 0
      this.#reader.onSymbols(answer, clockAheadMs)
    } catch {
      if (this.#reader.onNoSymbols()) setTimeout(() => this.ask(), backoffMs(this.#tries++))
    } finally {
      this.#isAsking = false
    }
  }
}
