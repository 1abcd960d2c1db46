import type { Exchange } from './exchange.ts'
import type { FaultCommands } from './fault-commands.ts'
import type { RestGate } from './rest-gate.ts'

/** How the exchange stands: its clock, what it has traded since it started, who listens, and what was made to go wrong. */
export function statusOf(exchange: Exchange, commands: FaultCommands, gate: RestGate) {
  const symbols = [...exchange.tapes.values()].map(tape => [
    tape.symbol,
    {
      status: tape.halted ? 'HALT' : 'TRADING',
      tradesEmitted: tape.sentCount(),
      lastTradeId: tape.readBack(tape.end, 1)[0]?.tradeId ?? null,
    },
  ])
  return {
    clock: exchange.now(),
    recorded: exchange.market.recorded,
    /** Start and, of a recording, end of what there is to trade, ms. */
    marketStartTime: exchange.market.startTime,
    marketEndTime: Number.isFinite(exchange.market.endTime) ? exchange.market.endTime : null,
    symbols: Object.fromEntries(symbols) as Record<
      string,
      { status: 'HALT' | 'TRADING'; tradesEmitted: number; lastTradeId: number | null }
    >,
    connections: exchange.hub.connections.size,
    faultsApplied: { ...exchange.faults.counts, ...commands.counts, restStatus: gate.faultsApplied },
  }
}

export type ExchangeStatus = ReturnType<typeof statusOf>
