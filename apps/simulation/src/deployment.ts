import { type AggregateOptions, aggregate } from '@chart/aggregator'
import { BarHistory } from '@chart/edge/bar-history'
import { DEFAULT_LIMITS } from '@chart/edge/limits'
import { ServedSymbols } from '@chart/edge/served-symbols'
import { BarStreams } from '@chart/edge/stream-bars'
import { SymbolHub } from '@chart/edge/symbol-hub'
import { type IngestOptions, ingest } from '@chart/ingestor'
import { readStoredStart } from '@chart/ingestor/stored-start'
import { type PersistOptions, persist } from '@chart/persister'
import { ackPending, type RedisCommands } from '@chart/redis'
import { aborted, type Log } from '@chart/service'
import { Callers } from './callers.ts'
import { Feed } from './feed.ts'
import type { Random } from './random.ts'
import {
  commandsOf,
  openLock,
  openReader,
  openUpdates,
  type ClientOptions as RedisClientOptions,
} from './redis-client.ts'
import { type LogLine, SimulatedProcess } from './simulated-process.ts'
import { INTERVALS, PARTITIONS, type World } from './world.ts'

export type Role = 'ingestor' | 'aggregator' | 'persister' | 'edge'

/** A place in the deployment: whatever runs in it dies, and another is started. */
export interface Replica {
  readonly role: Role
  readonly index: number
  process: SimulatedProcess | undefined
  /** Of an ingestor. */
  feed: Feed | undefined
  /** How many processes it has seen. */
  starts: number
}

/** A verb that ends by itself (Redis refused it at its start) is started again so much later, as a supervisor does. */
const RESTART_MS = { min: 100, max: 1_000 }
/** Clocks of machines differ by up to this. */
const CLOCK_SKEW_MS = 400
/** The service: how many of each app, and how each is started with the simulated outside. */
export class Deployment {
  readonly replicas: readonly Replica[]
  readonly callers: Callers
  /** False once the run is being looked at: nothing is started any more. */
  restarts = true
  readonly #world: World
  readonly #random: Random
  readonly #logLine: LogLine | undefined

  constructor(world: World, logLine?: LogLine) {
    this.#world = world
    this.#random = world.random('deployment')
    this.#logLine = logLine
    this.callers = new Callers(world, this.#random, logLine)
    const counts: Record<Role, number> = {
      ingestor: this.#random.integer(2, 3),
      aggregator: this.#random.integer(2, 3),
      persister: this.#random.integer(1, 2),
      edge: this.#random.integer(1, 2),
    }
    this.replicas = (Object.keys(counts) as Role[]).flatMap(role =>
      Array.from({ length: counts[role] }, (_, index) => ({
        role,
        index,
        process: undefined,
        feed: undefined,
        starts: 0,
      })),
    )
  }

  of(role: Role): Replica[] {
    return this.replicas.filter(replica => replica.role === role)
  }

  /** Starts a new process in the place of `replica`, after `delayMs`. */
  start(replica: Replica, delayMs: number): void {
    const { time } = this.#world
    time.outside(() =>
      time.after(delayMs, () => {
        if (replica.process?.alive || !this.restarts) return
        this.#begin(replica)
      }),
    )
  }

  kill(replica: Replica): void {
    replica.process?.kill()
    this.callers.lose(`${replica.role}-${replica.index}`)
  }

  /** SIGTERM: the verb ends by itself, or is killed when it takes too long; then another starts. */
  stopGently(replica: Replica, killAfterMs: number): void {
    const { process } = replica
    const { time } = this.#world
    if (!process?.alive) return
    time.after(0, () => process.stop.abort(), process)
    time.outside(() => time.after(killAfterMs, () => this.#bury(replica, process)))
  }

  #bury(replica: Replica, process: SimulatedProcess): void {
    if (!process.alive) return
    if (replica.process === process) this.kill(replica)
    else process.kill()
    this.start(replica, this.#random.integer(RESTART_MS.min, RESTART_MS.max))
  }

  #begin(replica: Replica): void {
    const { role, index } = replica
    const { time } = this.#world
    // Some supervisors give a new process the name of the old one, others do not.
    const name = this.#random.chance(0.5) ? `${role}-${index}` : `${role}-${index}.${replica.starts}`
    const skewMs = this.#random.integer(-CLOCK_SKEW_MS, CLOCK_SKEW_MS)
    const process = new SimulatedProcess(name, time, skewMs)
    replica.process = process
    replica.starts++
    time.after(
      0,
      () => {
        const verb = this.#verbOf(replica, process)
        const ended = () => time.outside(() => time.after(0, () => this.#bury(replica, process)))
        verb.then(ended, error => {
          this.#world.tally.add('processes that gave up')
          this.#logLine?.(process, 'fatal', { reason: (error as Error).message }, 'gave up')
          ended()
        })
      },
      process,
    )
  }

  #verbOf(replica: Replica, process: SimulatedProcess): Promise<void> {
    switch (replica.role) {
      case 'ingestor':
        return this.#ingest(replica, process)
      case 'aggregator':
        return this.#aggregate(process)
      case 'persister':
        return this.#persist(process)
      case 'edge':
        return this.#serve(replica, process)
      default:
        return replica.role satisfies never
    }
  }

  #clientOptions(process: SimulatedProcess): RedisClientOptions {
    const { network, mutation, witness, callListeners } = this.#world
    return {
      network,
      owner: process,
      commitsApart: mutation === 'state-apart',
      onCall: (command, values) => {
        if (command === 'appendEntry') witness.appending(process, values)
        for (const listener of callListeners) listener(command)
      },
    }
  }

  #ingest(replica: Replica, process: SimulatedProcess): Promise<void> {
    const { time, exchange, tally, feedFaults, witness, random } = this.#world
    const options = this.#clientOptions(process)
    const feed = new Feed({
      time,
      exchange,
      owner: process,
      random: random(`feed ${process.name} ${replica.starts}`),
      tally,
      faults: feedFaults,
      onTrade: (symbol, tradeId) => witness.tradeTold(process, symbol, tradeId),
    })
    replica.feed = feed
    const pool = this.#world.postgres.poolFor(process)
    return ingest({
      infos: exchange.infos,
      partitions: PARTITIONS,
      feedShards: 1,
      manyMin: 2,
      // Of one or two symbols a minute; the others begin at their newest trade.
      firstBarsWeightMax: 60,
      member: process.name,
      redis: commandsOf(options),
      openLock: shard => openLock(options, shard),
      openFeed: (symbols, signal) => feed.open(symbols, signal),
      rest: exchange.restFor(process),
      readStoredStart: (symbol, scales) => readStoredStart(pool, symbol, scales),
      metrics: tally.metrics<IngestOptions['metrics']>(),
      log: this.#logOf(process),
      signal: process.stop.signal,
    })
  }

  #aggregate(process: SimulatedProcess): Promise<void> {
    const { queue, tally, mutation } = this.#world
    const options = this.#clientOptions(process)
    const redis = commandsOf(options)
    const ack = ackAtEnqueue(redis)
    return aggregate({
      redis,
      openReader: (_, signal) => openReader(options, signal),
      queue: queue.producerFor(process, mutation === 'ack-at-enqueue' ? ack : undefined),
      intervals: INTERVALS,
      persistedIntervals: new Set(INTERVALS.map(({ name }) => name)),
      member: process.name,
      metrics: tally.metrics<AggregateOptions['metrics']>(),
      log: this.#logOf(process),
      signal: process.stop.signal,
    })
  }

  #persist(process: SimulatedProcess): Promise<void> {
    const { queue, postgres, tally } = this.#world
    return persist({
      workQueue: work => queue.work(process, work),
      redis: commandsOf(this.#clientOptions(process)),
      postgres: postgres.poolFor(process),
      metrics: tally.metrics<PersistOptions['metrics']>(),
      log: this.#logOf(process),
      signal: process.stop.signal,
    })
  }

  /** An edge as its main.ts puts it together, without the wire. */
  async #serve(replica: Replica, process: SimulatedProcess): Promise<void> {
    const { postgres, tally, mutation } = this.#world
    const options = this.#clientOptions(process)
    const redis = commandsOf(options)
    const metrics = tally.metrics<Parameters<typeof SymbolHub.open>[0]['metrics']>()
    const log = this.#logOf(process)
    const { signal } = process.stop
    const storedIntervals = new Set(INTERVALS.map(({ name }) => name))
    const history = new BarHistory({
      redis: mutation === 'no-outbox-in-history' ? withoutOutbox(redis) : redis,
      postgres: postgres.poolFor(process),
      storedIntervals,
    })
    await using hub = await SymbolHub.open({
      openUpdates: listener => openUpdates(options, listener),
      redis,
      history,
      intervals: INTERVALS,
      metrics,
      log,
    })
    const served = new ServedSymbols(
      redis,
      INTERVALS.map(({ name }) => name),
    )
    const streams = new BarStreams({
      hub,
      served,
      history,
      redis,
      metrics,
      limits: { ...DEFAULT_LIMITS, drainSpreadMs: 0 },
      log,
      signal,
    })
    const place = `${replica.role}-${replica.index}`
    const { callers } = this
    callers.open({ place, process, streams })
    await aborted(signal)
    callers.close(process)
    await streams.endAll()
  }

  #logOf(process: SimulatedProcess): Log {
    const line = (level: string) => (fields: object, message: string) => {
      if (typeof fields === 'string') this.#logLine?.(process, level, {}, fields)
      else this.#logLine?.(process, level, fields, message)
    }
    const log = {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      fatal: line('fatal'),
    }
    return log as unknown as Log
  }
}

/** The mutation: what was queued is taken for stored. */
function ackAtEnqueue(redis: RedisCommands) {
  return ({ tag, entries }: { tag: string; entries: readonly (readonly [string, string])[] }) => {
    void ackPending(redis, tag, entries).catch(() => undefined)
  }
}

/** An edge that knows nothing of bars which PostgreSQL has not got yet. */
function withoutOutbox(redis: RedisCommands): RedisCommands {
  return Object.assign(Object.create(redis), {
    hmget: async (_: string, ...fields: string[]) => fields.map(() => null),
  })
}
