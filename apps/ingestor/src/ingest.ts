import { type ExchangeRest, type SymbolInfo, UnknownSymbolError } from '@chart/binance'
import { partitionOf } from '@chart/market'
import { EXTEND_EVERY_MS, type LeaderLock, type RedisCommands, registerSymbols, tagOf } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { ShardLeader } from './shard-leader.ts'
import { type OpenFeed, ShardListener } from './shard-listener.ts'
import { SymbolFeed } from './symbol-feed.ts'

/** How often the exchange is asked whether it trades the symbols; weight 20 of 6,000 a minute. */
const STATUS_MS = 60_000

export interface IngestOptions {
  readonly infos: readonly SymbolInfo[]
  readonly partitions: number
  readonly feedShards: number
  readonly member: string
  readonly redis: RedisCommands
  /** The lease of a feed shard. */
  openLock(shard: number): LeaderLock
  /** The feed of these symbols, until the signal aborts. */
  readonly openFeed: OpenFeed
  readonly rest: ExchangeRest
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** For tests, see ShardLeaderOptions. */
  readonly auditMs?: number
}

/**
 * Reads the feeds of all shards, and leads those whose lease it gets. Every ingestor listens to every shard, so that a standby is
 * warm: it holds the newest trades of each symbol and only has to compare them with the log.
 * @throws PartitionsChangedError when Redis knows the symbols under another number of partitions
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const { infos, partitions, feedShards } = options
  const feeds = infos.map(info => new SymbolFeed(info, tagOf(info.symbol, partitions)))
  await register(feeds, options)
  const shards = Array.from({ length: feedShards }, (_, shard) =>
    feeds.filter(({ symbol }) => partitionOf(symbol, partitions) % feedShards === shard),
  )
  await Promise.all([
    ...shards.map(async (own, shard) => {
      if (own.length === 0) return
      const listener = new ShardListener(own, options)
      await Promise.all([listener.listen(), keepLeading(shard, listener, options)])
    }),
    watchStatus(feeds, options),
  ])
}

/** Holds the shard's lease when it can be had, and leads for as long as it holds. */
async function keepLeading(shard: number, listener: ShardListener, options: IngestOptions): Promise<void> {
  const { metrics, log, signal } = options
  await using lock = options.openLock(shard)
  while (!signal.aborted) {
    if (!(await lock.acquire())) {
      await delay(EXTEND_EVERY_MS, signal)
      continue
    }
    log.info({ shard }, 'leading')
    metrics.leading.inc()
    const leader = new ShardLeader({
      ...options,
      feeds: listener.feeds,
      watermark: listener.watermark,
      register: () => register(listener.feeds, options),
    })
    listener.leader = leader
    const running = leader.run().then(
      () => log.info({ shard }, 'no longer leading'),
      error => log.warn({ shard, reason: (error as Error).message }, 'no longer leading'),
    )
    let ended = false
    const end = running.then(() => {
      ended = true
    })
    while (!signal.aborted && !ended) {
      await Promise.race([delay(EXTEND_EVERY_MS, signal), end])
      if (!ended && !signal.aborted && !(await lock.extend())) break
    }
    leader.stop()
    await running
    listener.leader = undefined
    metrics.leading.dec()
    await lock.release()
    // Whoever fenced us shall have the lease: a moment's courtesy before we ask for it again.
    if (ended) await delay(EXTEND_EVERY_MS, signal)
  }
}

/** Writes down in Redis which symbols are served, and what the exchange says of them. */
async function register(feeds: readonly SymbolFeed[], { redis, partitions }: IngestOptions): Promise<void> {
  const served = feeds.map(({ info: { symbol, status, tickSize, stepSize, scales } }) => ({
    symbol,
    status,
    tickSize,
    stepSize,
    priceScale: scales.price,
    quantityScale: scales.quantity,
    quoteScale: scales.quote,
  }))
  await registerSymbols(redis, served, partitions)
}

/** Our word for a symbol that was served and that the exchange no longer knows. */
const DELISTED = 'DELISTED'

async function learnStatus(
  feeds: readonly SymbolFeed[],
  infos: readonly SymbolInfo[],
  options: IngestOptions,
): Promise<void> {
  const changed = feeds.filter((feed, index) => feed.info.status !== infos[index]!.status)
  for (const [index, feed] of feeds.entries()) feed.learn(infos[index]!)
  for (const { symbol, info } of changed) options.log.warn({ symbol, status: info.status }, 'trading status changed')
  await register(changed, options)
}

/** Asks the exchange every minute which symbols it trades: their silence means something else than that of the others. */
async function watchStatus(feeds: readonly SymbolFeed[], options: IngestOptions): Promise<void> {
  const { rest, log, signal } = options
  /** The exchange no longer knows them, and refuses an answer about all when one of them is asked for. */
  const delisted = new Set<string>()
  while (!signal.aborted) {
    const asked = feeds.filter(feed => !delisted.has(feed.symbol))
    try {
      await learnStatus(asked, await rest.exchangeInfo(asked.map(feed => feed.symbol)), options)
    } catch (error) {
      if (error instanceof UnknownSymbolError) {
        const gone = asked.filter(feed => error.symbols.includes(feed.symbol))
        for (const { symbol } of gone) delisted.add(symbol)
        await learnStatus(
          gone,
          gone.map(({ info }) => ({ ...info, status: DELISTED })),
          options,
        ).catch(() => undefined)
        if (gone.length > 0) continue
      }
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'trading status unknown for now')
    }
    await delay(STATUS_MS, signal)
  }
}
