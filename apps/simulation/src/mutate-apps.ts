import { SymbolFeed } from '@chart/ingestor/symbol-feed'
import type { Mutation } from './mutations.ts'

/**
 * The one mutation that no model and no wiring can bring about: an ingestor that promises watermarks although trades are missing. Put
 * over the class for the length of a run; gives the function that takes it away.
 */
export function mutateApps(mutation: Mutation | undefined): () => void {
  if (mutation !== 'watermark-without-gap-check') return () => undefined
  const original = Object.getOwnPropertyDescriptor(SymbolFeed.prototype, 'state')!
  Object.defineProperty(SymbolFeed.prototype, 'state', {
    configurable: true,
    get(this: SymbolFeed) {
      const state = original.get!.call(this)
      return state === 'backfilling' ? 'live' : state
    },
  })
  return () => Object.defineProperty(SymbolFeed.prototype, 'state', original)
}
