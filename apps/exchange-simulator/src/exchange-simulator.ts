import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Interval } from './bar.ts'
import { type Clock, VirtualClock, wallClock } from './clock.ts'
import { Exchange } from './exchange.ts'
import { FaultCommands } from './fault-commands.ts'
import { createHttpServer } from './http-server.ts'
import type { Market } from './market.ts'
import { type ExchangeSimulatorOptions, limitDefaults, seededDefaults } from './options.ts'
import { type OracleBar, oracleBars } from './oracle.ts'
import { createRecordedMarket } from './recorded-market.ts'
import { readRecording } from './recording.ts'
import { RestGate } from './rest-gate.ts'
import { createSeededMarket } from './seeded-market.ts'
import { type ExchangeStatus, statusOf } from './status.ts'
import { TradeFaults } from './trade-faults.ts'

export type { Interval } from './bar.ts'
export type { ExchangeSimulatorOptions } from './options.ts'
export type { OracleBar } from './oracle.ts'
export type { ExchangeStatus } from './status.ts'
export type { FrameSelection, MalformedKind } from './trade-faults.ts'

type Faults = Omit<FaultCommands, 'counts' | 'close'>

/** A running simulator. Everything `POST /control/…` can do is a method of the same name. */
export interface ExchangeSimulator extends Faults, AsyncDisposable {
  /** For REST and control, `http://127.0.0.1:PORT`. */
  readonly url: string
  /** For streams, `ws://127.0.0.1:PORT`. */
  readonly streamUrl: string
  /** The exchange's time, ms. */
  now(): number
  status(): ExchangeStatus
  /** The right bars: `from` <= openTime < `to` (ms), default the last 500; the current one has `live`. */
  oracleBars(question: OracleQuestion): Promise<OracleBar[]>
  close(): Promise<void>
}

export interface OracleQuestion {
  readonly symbol: string
  readonly interval: Interval
  readonly from?: number
  readonly to?: number
}

/** Starts an exchange on one port; resolves once it listens. */
export async function startExchangeSimulator(options: ExchangeSimulatorOptions = {}): Promise<ExchangeSimulator> {
  const { recording, clock: clockOptions = {} } = options
  const limits = { ...limitDefaults, ...options.limits }
  const marketOptions = { ...seededDefaults, ...options.market }
  const market = recording
    ? createRecordedMarket(await readRecording(recording.path, recording.symbol))
    : createSeededMarket(marketOptions)
  const clock = clockOf(market, clockOptions)
  const hold = clock !== wallClock && (clockOptions.hold ?? market.recorded)
  const gate = new RestGate(limits)
  const exchange = new Exchange({ market, clock, limits, hold, faults: new TradeFaults(marketOptions.seed) })
  const commands = new FaultCommands(exchange, gate)
  const server = createHttpServer({ exchange, gate, commands })
  const host = options.host ?? '127.0.0.1'
  server.listen(options.port ?? 0, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    await exchange.close()
    throw error
  }
  const { port } = server.address() as AddressInfo
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const close = async () => {
    commands.close()
    const closed = new Promise(resolve => server.close(resolve))
    await exchange.close()
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://${authority}`,
    streamUrl: `ws://${authority}`,
    now: () => exchange.now(),
    status: () => statusOf(exchange, commands, gate),
    oracleBars: async ({ symbol, ...question }) => oracleBars(exchange.tape(symbol), market.startTime, question),
    drop: selection => commands.drop(selection),
    duplicate: selection => commands.duplicate(selection),
    reorder: selection => commands.reorder(selection),
    malformed: selection => commands.malformed(selection),
    stall: stall => commands.stall(stall),
    disconnect: () => commands.disconnect(),
    ageOut: () => commands.ageOut(),
    serverShutdown: shutdown => commands.serverShutdown(shutdown),
    restStatus: fault => commands.restStatus(fault),
    halt: halt => commands.halt(halt),
    resume: resume => commands.resume(resume),
    hole: hole => commands.hole(hole),
    clear: () => commands.clear(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function clockOf(market: Market, options: NonNullable<ExchangeSimulatorOptions['clock']>): Clock {
  const startTime = market.recorded ? market.startTime : options.startTime
  if (startTime === undefined) {
    if (options.speed !== undefined && options.speed !== 1) throw new RangeError('clock.speed needs clock.startTime')
    return wallClock
  }
  const speed = options.speed ?? 1
  if (!(speed > 0)) throw new RangeError(`clock.speed ${speed}: wanted a number above 0, or Infinity`)
  if (speed === Number.POSITIVE_INFINITY && !Number.isFinite(market.endTime)) {
    throw new RangeError('clock.speed Infinity: a seeded market has no end to play to')
  }
  return new VirtualClock(startTime, speed)
}
