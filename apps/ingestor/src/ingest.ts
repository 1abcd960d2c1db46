import type { SymbolInfo } from '@chart/binance'
import { partitionOf } from '@chart/market'
import {
  EXTEND_EVERY_MS,
  heartbeat,
  leave,
  lineOfShard,
  PartitionsChangedError,
  RedisUnavailableError,
  registerSymbols,
  tagOf,
} from '@chart/redis'
import { delay } from '@chart/service'
import { type SeatOptions, ShardSeat } from './shard-seat.ts'
import { heldTradesMaxOf, SymbolFeed } from './symbol-feed.ts'
import { watchStatus } from './trading-status.ts'
import { Wake } from './wake.ts'

export interface IngestOptions extends Omit<SeatOptions, 'shard' | 'feeds' | 'register' | 'onVacant'> {
  readonly infos: readonly SymbolInfo[]
  readonly partitions: number
  /** The partitions are dealt out to this many feed shards, each with a leader of its own. */
  readonly feedShards: number
}

/**
 * Takes its seat at every feed shard: leads it, stands by with a feed of its own, or leaves it to others, as the members' places in line
 * have it (rendezvous hashing, so that a member that joins or leaves moves its own share only).
 * @throws PartitionsChangedError when Redis knows the symbols under another number of partitions; RedisUnavailableError when it does
 * not answer at the start
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const { infos, partitions, feedShards } = options
  const heldTradesMax = heldTradesMaxOf(infos.length)
  const feeds = infos.map(info => new SymbolFeed(info, tagOf(info.symbol, partitions), heldTradesMax))
  await register(feeds, options).catch(error => {
    if (error instanceof PartitionsChangedError) throw error
    const reason = `cannot reach Redis to register the symbols: ${error.message}; start it or set REDIS_URL`
    throw new RedisUnavailableError(reason, { cause: error })
  })
  const vacancy = new Wake()
  const seats: ShardSeat[] = []
  for (let shard = 0; shard < feedShards; shard++) {
    const own = feeds.filter(({ symbol }) => partitionOf(symbol, partitions) % feedShards === shard)
    if (own.length === 0) continue
    const onVacant = () => vacancy.notice()
    seats.push(new ShardSeat({ ...options, shard, feeds: own, register: () => register(own, options), onVacant }))
  }
  options.metrics.feeds.follow(() => seats)
  const places = keepPlaces(seats, vacancy, options)
  const watching = seats.map(seat =>
    watchStatus(seat.feeds, {
      ...options,
      reachedTime: seat.watermark,
      onChanged: changed => register(changed, options),
    }),
  )
  await Promise.all([...seats.map(seat => seat.run()), ...watching, places])
}

/** Says that we live, and learns our place in line for each shard. */
async function keepPlaces(
  seats: readonly ShardSeat[],
  vacancy: Wake,
  { redis, member, log, signal }: IngestOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const members = await heartbeat(redis, 'ingestor', member)
      for (const seat of seats) seat.rank = lineOfShard(seat.shard, members).indexOf(member)
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'Redis does not answer; trying again')
    }
    await Promise.race([delay(EXTEND_EVERY_MS, signal), vacancy.noticed()])
  }
  // At once, while the seats still end their work: whoever sees a lease become free then finds itself first in line.
  await leave(redis, 'ingestor', member).catch(() => undefined)
}

/** Writes down in Redis which symbols are served, and what the exchange says of them. */
async function register(feeds: readonly SymbolFeed[], { redis, partitions }: IngestOptions): Promise<void> {
  const served = feeds.map(({ info: { symbol, status, tickSize, stepSize, simulated, scales } }) => ({
    symbol,
    status,
    tickSize,
    stepSize,
    simulated,
    priceScale: scales.price,
    quantityScale: scales.quantity,
    quoteScale: scales.quote,
  }))
  await registerSymbols(redis, served, partitions)
}
