import type { BarStreams } from '@chart/edge/stream-bars'
import type { StreamBarsRequest } from '@chart/grpc'
import { Client, type ToldSeries } from './client.ts'
import type { Random } from './random.ts'
import type { LogLine, SimulatedProcess } from './simulated-process.ts'
import { INTERVALS, type World } from './world.ts'

/** A client whose call failed calls again. */
const CALL_AGAIN_MS = { min: 50, max: 600 }
/** How long a client that goes from edge to edge stays. */
const VISIT_MS = { min: 50, max: 4_000 }
/** And how long it is away: mostly as for a cut, sometimes for more seconds than a symbol's state keeps bars of. */
const AWAY_MS = { min: 0, max: 600 }
const LONG_AWAY = 0.15
const LONG_AWAY_MS = { min: 8_000, max: 16_000 }

type StreamMode = StreamBarsRequest['mode']

/** An edge that takes calls. */
export interface OpenEdge {
  /** Its place in the deployment, `edge-0`. */
  readonly place: string
  readonly process: SimulatedProcess
  readonly streams: BarStreams
}

/** Those who call the edges: at each edge two that stay as long as it lives, and visitors that go from one to the other. */
export class Callers {
  /** Every client that was ever served. */
  readonly clients: Client[] = []
  readonly #world: World
  readonly #random: Random
  readonly #logLine: LogLine | undefined
  readonly #edges = new Map<SimulatedProcess, OpenEdge>()
  #count = 0

  constructor(world: World, random: Random, logLine: LogLine | undefined) {
    this.#world = world
    this.#random = random
    this.#logLine = logLine
  }

  open(edge: OpenEdge): void {
    void this.#call(edge, 'STREAM_MODE_EVERY_TRADE', 0)
    void this.#call(edge, 'STREAM_MODE_LATEST', 0.01)
    this.#edges.set(edge.process, edge)
  }

  /** The edge begins to stop. */
  close(process: SimulatedProcess): void {
    this.#edges.delete(process)
  }

  /** The process at this place is dead, and its calls with it. */
  lose(place: string): void {
    for (const client of this.clients) if (client.name.startsWith(`${place} `)) client.ended = true
  }

  /** A client that comes and goes, each time at some edge, and goes on where it stood. */
  travel(mode: StreamMode, slow: number): void {
    this.#visit(mode, slow, new Map())
  }

  /** A client that calls until it is served. */
  async #call(edge: OpenEdge, mode: StreamMode, slow: number): Promise<void> {
    const { process, streams } = edge
    while (process.alive && !process.stop.signal.aborted) {
      const waitMs = this.#random.integer(CALL_AGAIN_MS.min, CALL_AGAIN_MS.max)
      await new Promise<void>(resolve => this.#world.time.after(waitMs, resolve))
      const client = this.#clientOf(edge, mode, slow)
      try {
        await streams.open(this.#requestOf(mode, client), client)
        this.clients.push(client)
        return
      } catch {
        // Not served yet, or Redis does not answer.
      }
    }
  }

  #visit(mode: StreamMode, slow: number, series: Map<string, ToldSeries>): void {
    const { time, tally, tradingEndTime } = this.#world
    const random = this.#random
    const goOn = () => this.#visit(mode, slow, series)
    const edge = random.pick([...this.#edges.values()])
    if (!edge?.process.alive) {
      time.at(time.now + random.integer(CALL_AGAIN_MS.min, CALL_AGAIN_MS.max), goOn, undefined)
      return
    }
    const { process, streams } = edge
    tally.add('visits')
    const client = this.#clientOf(edge, mode, slow, series)
    this.clients.push(client)
    time.after(0, () => streams.open(this.#requestOf(mode, client), client).catch(() => client.hangUp()), process)
    const leave = () => {
      if (client.ended) goOn()
      else if (time.now < tradingEndTime) {
        client.isAway = true
        time.after(0, () => client.hangUp(), process)
        const away = random.chance(LONG_AWAY) ? LONG_AWAY_MS : AWAY_MS
        time.at(time.now + random.integer(away.min, away.max), goOn, undefined)
      } else time.at(time.now + VISIT_MS.min, leave, undefined)
    }
    time.at(time.now + random.integer(VISIT_MS.min, VISIT_MS.max), leave, undefined)
  }

  #clientOf({ place, process }: OpenEdge, mode: StreamMode, slow: number, series?: Map<string, ToldSeries>): Client {
    const { time, tally, witness } = this.#world
    const kind = series === undefined ? 'client' : 'visitor'
    return new Client(`${place} ${kind} ${++this.#count} ${mode.slice('STREAM_MODE_'.length)}`, {
      time,
      random: this.#random,
      tally,
      slow,
      owner: process,
      ...(series !== undefined && { series }),
      firstOpenTime: (symbol, interval) => firstOpenTimeOf(witness, symbol, interval),
      broken: (promise, detail) => witness.broken(promise, detail),
      trace: this.#logLine && (line => this.#logLine?.(process, 'client', {}, line)),
    })
  }

  #requestOf(mode: StreamMode, client: Client): StreamBarsRequest {
    return {
      symbols: this.#world.exchange.infos.map(({ symbol }) => symbol),
      intervals: INTERVALS.map(({ name }) => name),
      mode,
      startTime: null,
      positions: client.positions(),
      maxUpdatesPerSecond: 0,
    }
  }
}

function firstOpenTimeOf({ oracles }: World['witness'], symbol: string, interval: string): number {
  const trade = oracles.get(symbol)?.first
  const intervalMs = INTERVALS.find(({ name }) => name === interval)!.intervalMs
  return trade === undefined ? 0 : Math.floor(trade.tradeTime / intervalMs) * intervalMs
}
