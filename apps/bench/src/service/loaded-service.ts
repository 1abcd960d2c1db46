import type { ProcessCost } from '../harness/bench-process.ts'
import type { LoadClients } from './load-clients.ts'

/** A service that can be put under a load and measured: ours, or what stands for the least that the machine allows. */
export interface LoadedService extends AsyncDisposable {
  readonly clients: LoadClients
  /** Trades a second over all symbols, from now on. */
  trade(tradesPerSecond: number): Promise<void>
  /** Trades that the exchange has sent. */
  made(): Promise<number>
  /** What every process has cost so far, by its name. */
  costs(): ReadonlyMap<string, ProcessCost>
  /** Log entries that are in no bar yet. */
  lag(): Promise<number>
}
