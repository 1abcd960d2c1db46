import { headsKey, logKey, ownerKey, partitionTag } from '@chart/redis'
import type { Deployment, Replica } from './deployment.ts'
import { NO_FEED_FAULTS } from './feed.ts'
import { NO_QUEUE_FAULTS } from './model-queue.ts'
import type { RedisValue } from './model-redis/keyspace.ts'
import type { Random } from './random.ts'
import { NO_CALL_FAULTS } from './redis-network.ts'
import { FAULTS_MS, PARTITIONS, type World } from './world.ts'

/** No fault before this: the service has to have begun its logs before Redis may fall back behind them. */
const FIRST_FAULT_MS = 700
/** How far a replica of Redis may lag behind when it takes over. */
const LAG_MS = { min: 5, max: 2_000 }
const PAUSE_MS = { min: 20, max: 4_000 }
const CUT_OFF_MS = { min: 100, max: 5_000 }
const DOWN_MS = { min: 20, max: 1_500 }
/** Healed before the client sends its commit again, after a second. */
const FORGOTTEN_MS = { min: 200, max: 950 }
const FULL_MS = { min: 200, max: 3_000 }
const AWAY_MS = { min: 300, max: 6_000 }
const DEAD_MS = { min: 0, max: 2_500 }
const GRACE_MS = { min: 200, max: 3_000 }
const STALL_MS = { min: 200, max: 3_000 }
/** Shorter than what late trades can mend, together with the longest silence of the market. */
const DEAF_MS = { min: 200, max: 2_500 }
const FEED_DOWN_MS = { min: 30, max: 2_500 }

/** A state of Redis and when it was. */
interface Snapshot {
  readonly time: number
  readonly values: ReadonlyMap<string, RedisValue>
}

type Fault = (nemesis: Nemesis) => void

/** What goes wrong at one moment, and how often one is drawn in place of another. */
const FAULTS: readonly (readonly [weight: number, fault: Fault])[] = [
  [6, nemesis => nemesis.crash()],
  [5, nemesis => nemesis.pause()],
  [4, nemesis => nemesis.cutOff()],
  [2, nemesis => nemesis.stopGently()],
  [3, nemesis => nemesis.resetConnections()],
  [2, nemesis => nemesis.restartRedis()],
  [4, nemesis => nemesis.rollBack()],
  [2, nemesis => nemesis.forgetBehindCommit()],
  [2, nemesis => nemesis.deleteKey()],
  [1, nemesis => nemesis.fillRedis()],
  [2, nemesis => nemesis.takePostgresAway()],
  [1, nemesis => nemesis.takeQueueAway()],
  [3, nemesis => nemesis.cutFeed()],
  [2, nemesis => nemesis.stallFeed()],
  [2, nemesis => nemesis.deafenFeed()],
  [1, nemesis => nemesis.takeRestAway()],
]

/** Brings about what can go wrong, as the seed has it, and then puts everything right again. */
export class Nemesis {
  readonly #world: World
  readonly #deployment: Deployment
  readonly #random: Random
  /** Earlier states of Redis, newest last. */
  readonly #snapshots: Snapshot[] = []
  /** Logs that will be deleted after their next append. */
  readonly #doomedLogs = new Set<string>()
  readonly #told: (fault: string, detail: string) => void

  constructor(world: World, deployment: Deployment, told: (fault: string, detail: string) => void) {
    this.#world = world
    this.#deployment = deployment
    this.#random = world.random('nemesis')
    this.#told = told
  }

  /** Plans all faults of the run. */
  begin(): void {
    const { time, startTime, redis } = this.#world
    const random = this.#random
    this.#setAmbient()
    redis.onRan(({ command, keys }) => {
      if (command === 'appendEntry') this.#deleteDoomedLog(keys[2]!)
    })
    const count = random.integer(0, 3) === 0 ? random.integer(0, 2) : random.integer(2, 14)
    for (let index = 0; index < count; index++) {
      const moment = startTime + random.integer(FIRST_FAULT_MS, FAULTS_MS)
      time.at(moment, () => this.#pickFault()(this), undefined)
    }
    time.at(startTime + FIRST_FAULT_MS, () => this.#remember(), undefined)
    time.at(startTime + FAULTS_MS, () => this.#calm(), undefined)
  }

  crash(): void {
    const replica = this.#anyReplica()
    if (!replica.process?.alive) return
    this.#tell('crashes', replica.process.name)
    this.#deployment.kill(replica)
    this.#deployment.start(replica, this.#between(DEAD_MS))
  }

  pause(): void {
    const { process } = this.#anyReplica()
    if (!process?.alive || process.paused) return
    const ms = this.#between(PAUSE_MS)
    this.#tell('pauses', `${process.name} ${ms} ms`)
    process.pause()
    this.#later(ms, () => process.resume())
  }

  cutOff(): void {
    const { process } = this.#anyReplica()
    if (!process?.alive) return
    const { network } = this.#world
    const ms = this.#between(CUT_OFF_MS)
    this.#tell('partitions', `${process.name} ${ms} ms`)
    network.cutOff(process)
    this.#later(ms, () => network.heal(process))
  }

  stopGently(): void {
    const replica = this.#anyReplica()
    if (!replica.process?.alive) return
    this.#tell('stops', replica.process.name)
    this.#deployment.stopGently(replica, this.#between(GRACE_MS))
  }

  resetConnections(): void {
    const { process } = this.#anyReplica()
    if (!process?.alive) return
    this.#tell('connection resets', process.name)
    this.#world.network.reset(process)
  }

  restartRedis(): void {
    this.#tell('Redis restarts', '')
    this.#whileDown(this.#between(DOWN_MS), () => undefined)
  }

  /** A replica that lags behind takes over, or a crash loses what was not on disk. */
  rollBack(): void {
    const { time } = this.#world
    const lagMs = this.#between(LAG_MS)
    const snapshot = this.#snapshots.findLast(one => one.time <= time.now - lagMs) ?? this.#snapshots[0]
    if (snapshot !== undefined) this.#fallBackTo(snapshot, this.#between(DOWN_MS))
  }

  /**
   * An entry is read, and Redis forgets it before its commit arrives: the aggregators are cut off when the next commit is sent, Redis falls
   * back to what stood before its entry, and another entry may stand there when the commit is sent again.
   */
  forgetBehindCommit(): void {
    const { redis, network, time, callListeners } = this.#world
    if (this.#snapshots.length === 0) return
    let before: Snapshot | undefined
    const onCall = (command: string) => {
      if (command === 'appendEntry') before = { time: time.now, values: redis.store.snapshot() }
      if (command !== 'commitBars' || before === undefined || !network.up) return
      callListeners.delete(onCall)
      const snapshot = before
      for (const { process } of this.#deployment.of('aggregator')) {
        if (!process?.alive) continue
        network.cutOff(process)
        this.#later(this.#between(FORGOTTEN_MS), () => network.heal(process, false))
      }
      this.#later(1, () => this.#fallBackTo(snapshot, 20))
    }
    callListeners.add(onCall)
    this.#later(FORGOTTEN_MS.max, () => callListeners.delete(onCall))
  }

  #fallBackTo(snapshot: Snapshot, downMs: number): void {
    const { startTime, redis, witness } = this.#world
    this.#tell('rollbacks', `to ${Math.round(snapshot.time - startTime)} ms`)
    this.#whileDown(downMs, () => {
      redis.store.restore(snapshot.values)
      witness.fellBack()
      while ((this.#snapshots.at(-1)?.time ?? 0) > snapshot.time) this.#snapshots.pop()
    })
  }

  deleteKey(): void {
    const { redis, markets } = this.#world
    // Without its bars a log would begin anew, at another minute.
    const keys = redis.store.keys()
    if (!markets.every(({ symbol }) => keys.some(key => key.startsWith('state:') && key.endsWith(`:${symbol}`)))) return
    const tag = partitionTag(this.#random.integer(0, PARTITIONS - 1))
    const key = this.#random.pick([
      logKey(tag),
      logKey(tag),
      headsKey(tag),
      ownerKey(tag, 'ingest'),
      ownerKey(tag, 'aggregate'),
    ])
    // A log right after an append, when nobody has folded its last entry yet; or else nothing would be missed.
    if (key === logKey(tag)) this.#doomedLogs.add(key)
    else if (redis.store.delete(key)) this.#tell('deleted keys', key)
  }

  #deleteDoomedLog(key: string): void {
    if (!this.#doomedLogs.delete(key)) return
    this.#later(this.#random.next(), () => {
      if (this.#world.redis.store.delete(key)) this.#tell('deleted keys', key)
    })
  }

  fillRedis(): void {
    const { redis } = this.#world
    this.#tell('Redis over maxmemory', '')
    redis.full = true
    this.#later(this.#between(FULL_MS), () => {
      redis.full = false
    })
  }

  takePostgresAway(): void {
    const { faults } = this.#world.postgres
    this.#tell('PostgreSQL away', '')
    faults.away = true
    this.#later(this.#between(AWAY_MS), () => {
      faults.away = false
    })
  }

  takeQueueAway(): void {
    const { faults } = this.#world.queue
    this.#tell('queue away', '')
    faults.away = true
    this.#later(this.#between(AWAY_MS), () => {
      faults.away = false
    })
  }

  takeRestAway(): void {
    const { faults } = this.#world.exchange
    this.#tell('REST away', '')
    faults.down = true
    this.#later(this.#between(AWAY_MS), () => {
      faults.down = false
    })
  }

  cutFeed(): void {
    this.#onFeed('feeds cut', ({ feed, process }) => {
      const ms = this.#between(FEED_DOWN_MS)
      this.#world.time.after(0, () => feed!.cut(this.#symbols, ms), process)
    })
  }

  /** Silent, and noticed after three seconds or when it is over. */
  stallFeed(): void {
    this.#onFeed('feeds stalled', ({ feed, process }) => {
      feed!.stalled = true
      const downMs = this.#between(FEED_DOWN_MS)
      this.#world.time.after(this.#between(STALL_MS), () => feed!.cut(this.#symbols, downMs), process)
    })
  }

  deafenFeed(): void {
    const symbol = this.#random.pick(this.#symbols)
    this.#onFeed('feeds deaf for a symbol', ({ feed }) => {
      feed!.deaf.add(symbol)
      this.#later(this.#between(DEAF_MS), () => feed!.deaf.delete(symbol))
    })
  }

  get #symbols(): string[] {
    return this.#world.markets.map(({ symbol }) => symbol)
  }

  #pickFault(): Fault {
    let at = this.#random.next() * FAULTS.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, fault] of FAULTS) {
      at -= weight
      if (at < 0) return fault
    }
    return FAULTS[0]![1]
  }

  #anyReplica(): Replica {
    return this.#random.pick(this.#deployment.replicas)
  }

  #onFeed(name: string, work: (replica: Replica) => void): void {
    const replica = this.#random.pick(this.#deployment.of('ingestor'))
    if (!replica.process?.alive || replica.feed === undefined) return
    this.#tell(name, replica.process.name)
    work(replica)
  }

  /** What goes wrong all the time, a little. */
  #setAmbient(): void {
    const { network, feedFaults, exchange, queue, postgres } = this.#world
    const random = this.#random
    const sometimes = (most: number) => (random.chance(0.5) ? most * random.next() : 0)
    Object.assign(network.faults, {
      lost: sometimes(0.03),
      replyLost: sometimes(0.05),
      late: sometimes(0.03),
      repeated: sometimes(0.05),
      updateLost: sometimes(0.05),
    })
    Object.assign(feedFaults, {
      lost: sometimes(0.05),
      repeated: sometimes(0.1),
      reordered: sometimes(0.1),
      malformed: sometimes(0.02),
    })
    Object.assign(exchange.faults, { error: sometimes(0.4), lagging: sometimes(0.3), hole: sometimes(0.2) })
    Object.assign(queue.faults, { lost: sometimes(0.2), repeated: sometimes(0.2), delayed: sometimes(0.2) })
    Object.assign(postgres.faults, { answerLost: sometimes(0.2), late: sometimes(0.1) })
  }

  /** Everything works from now on. */
  #calm(): void {
    const { network, feedFaults, exchange, queue, postgres } = this.#world
    Object.assign(network.faults, NO_CALL_FAULTS)
    Object.assign(feedFaults, NO_FEED_FAULTS)
    Object.assign(exchange.faults, { error: 0, lagging: 0, hole: 0 })
    Object.assign(queue.faults, { ...NO_QUEUE_FAULTS, away: queue.faults.away })
    Object.assign(postgres.faults, { answerLost: 0, late: 0 })
    this.#doomedLogs.clear()
  }

  /** Keeps states of Redis that it may fall back to, once every symbol's log has begun. */
  #remember(): void {
    const { time, startTime, redis, markets, witness } = this.#world
    if (time.now > startTime + FAULTS_MS) return
    const begun = markets.every(({ symbol }) => witness.oracles.has(symbol))
    if (begun) this.#snapshots.push({ time: time.now, values: redis.store.snapshot() })
    time.at(time.now + this.#random.integer(100, 400), () => this.#remember(), undefined)
  }

  #whileDown(downMs: number, work: () => void): void {
    const { network } = this.#world
    if (!network.up) return
    network.stop()
    work()
    this.#later(downMs, () => network.start())
  }

  #between({ min, max }: { min: number; max: number }): number {
    // Short ones as often as long ones.
    const least = Math.max(1, min)
    return Math.round(least * (max / least) ** this.#random.next())
  }

  #later(ms: number, work: () => void): void {
    const { time } = this.#world
    time.at(time.now + ms, work, undefined)
  }

  #tell(fault: string, detail: string): void {
    this.#world.tally.add(fault)
    this.#told(fault, detail)
  }
}
