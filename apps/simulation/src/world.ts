import { type Interval, intervalsOf } from '@chart/market'
import { Exchange } from './exchange.ts'
import { type FeedFaults, NO_FEED_FAULTS } from './feed.ts'
import { drawMarket, type MarketMood, type SymbolMarket } from './market.ts'
import { ModelPostgres } from './model-postgres.ts'
import { ModelQueue } from './model-queue.ts'
import { ModelRedis } from './model-redis/model-redis.ts'
import type { Mutation } from './mutations.ts'
import { Random } from './random.ts'
import { RedisNetwork } from './redis-network.ts'
import { Tally } from './tally.ts'
import { VirtualTime } from './virtual-time.ts'
import { Witness } from './witness.ts'

/** Partitions of the simulated deployment: two, so that symbols share one and do not. */
export const PARTITIONS = 2
/** Both are stored: a bar of a second and one of a minute close in each run. */
export const INTERVALS: readonly Interval[] = intervalsOf(['1s', '1m'])

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT', 'XRPUSDT']
const MINUTE_MS = 60_000
/** A day like any other; seeds lie hours apart on it. */
const EPOCH = Date.UTC(2026, 2, 3)
/** Trades before the service starts, for its first backfill. */
const HISTORY_MS = 9_000
/** Faults end so long after the start. */
export const FAULTS_MS = 13_000
/** Trading goes on for so long after the last fault. */
export const CALM_TRADING_MS = 3_500

/** Everything of one run that is not a process. */
export interface World {
  readonly seed: number
  readonly mutation: Mutation | undefined
  readonly time: VirtualTime
  readonly startTime: number
  /** Moment of the last trade and a little more: bars have to reach it. */
  readonly tradingEndTime: number
  readonly markets: readonly SymbolMarket[]
  readonly exchange: Exchange
  readonly redis: ModelRedis
  readonly network: RedisNetwork
  readonly queue: ModelQueue
  readonly postgres: ModelPostgres
  readonly feedFaults: FeedFaults
  readonly witness: Witness
  /** Told of every command that a process sends, before it is on its way. */
  readonly callListeners: Set<(command: string) => void>
  readonly tally: Tally
  /** A stream of random numbers of its own for whoever asks. */
  random(stream: string): Random
}

export function makeWorld(seed: number, mutation?: Mutation): World {
  const random = (stream: string) => new Random(seed, stream)
  const setting = random('setting')
  const tally = new Tally()
  // Some seconds before a full minute, so that one ends in the run.
  const startTime = EPOCH + (seed % 1_440) * MINUTE_MS + MINUTE_MS - setting.integer(2_000, 13_000)
  const tradingEndTime = startTime + FAULTS_MS + CALM_TRADING_MS
  const time = new VirtualTime(startTime)
  const mood = drawMood(setting)
  const markets = SYMBOLS.slice(0, setting.integer(2, 4)).map(symbol =>
    drawMarket(symbol, startTime - HISTORY_MS, tradingEndTime, mood, random(`market ${symbol}`)),
  )
  const redis = new ModelRedis(() => time.now, mutation)
  const witness = new Witness({
    redis,
    markets,
    intervals: INTERVALS,
    tally,
    fail: error => time.fail(error),
  })
  return {
    seed,
    mutation,
    time,
    startTime,
    tradingEndTime,
    markets,
    exchange: new Exchange(markets, time, random('exchange'), tally),
    redis,
    network: new RedisNetwork(redis, time, random('network'), tally),
    queue: new ModelQueue(time, random('queue'), tally),
    postgres: new ModelPostgres(time, random('postgres'), tally, mutation),
    feedFaults: { ...NO_FEED_FAULTS },
    witness,
    callListeners: new Set(),
    tally,
    random,
  }
}

function drawMood(random: Random): MarketMood {
  const sometimes = (most: number) => (random.chance(0.5) ? most * random.next() : 0)
  return {
    meanPauseMs: random.pick([120, 300, 700]),
    burst: sometimes(0.05),
    silence: sometimes(0.06),
    boundary: sometimes(0.15),
    hole: sometimes(0.03),
    backwards: sometimes(0.15),
    late: sometimes(0.03),
  }
}
