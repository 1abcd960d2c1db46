import { BinanceRest, openTradeFeed } from '@chart/binance'
import {
  type ExchangeSimulator,
  type ExchangeSimulatorOptions,
  startExchangeSimulator,
} from '@chart/exchange-simulator'
import { type Trade, unpackTrades } from '@chart/market'
import {
  closeRedis,
  feedLeaseKey,
  type LogBlock,
  type LogEntry,
  openBlockingRedis,
  openLeaderLock,
  openRedis,
  type RedisConnection,
  readEntries,
  readFeedStatus,
  readHeads,
  readSymbols,
} from '@chart/redis'
import type { RedisServer } from '@chart/servers'
import { openLog, Registry } from '@chart/service'
import { PATIENT, until } from '@chart/testkit'
import { expect } from 'vitest'
import { type IngestOptions, ingest } from '../src/ingest.ts'
import { openMetrics } from '../src/metrics.ts'

/** A simulated exchange, and ingestors in this process that write what it trades into a Redis. */

export const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']

/** No test is about the weight: neither the exchange nor the ingestor counts it. */
const WEIGHT_MAX = 1_000_000

export interface Ingestor {
  readonly registry: Registry
  readonly metrics: ReturnType<typeof openMetrics>
  /** Rejects when the ingestor does. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface Rig extends AsyncDisposable {
  readonly simulator: ExchangeSimulator
  readonly redis: RedisConnection
  readonly symbols: readonly string[]
  /** The exchange's REST, not through any ingestor. */
  readonly rest: BinanceRest
  startIngestor(options?: Partial<IngestOptions>): Promise<Ingestor>
  tagOf(symbol: string): Promise<string>
  head(symbol: string): Promise<number | undefined>
  stateOf(symbol: string): Promise<string | undefined>
  /** Waits until every trade that the exchange has made by now is in the logs. */
  untilCaughtUp(): Promise<void>
  /** Waits until every symbol's feed has this state. */
  untilState(state: string, symbols?: readonly string[]): Promise<void>
}

export interface RigOptions {
  readonly symbols?: readonly string[]
  readonly partitions?: number
  readonly market?: ExchangeSimulatorOptions['market']
  readonly clock?: ExchangeSimulatorOptions['clock']
}

export async function openRig(server: RedisServer, options: RigOptions = {}): Promise<Rig> {
  const { symbols = SYMBOLS, partitions = 4, clock } = options
  const redis = await openRedis(server.url, 'test', PATIENT)
  await redis.flushall()
  const simulator = await startExchangeSimulator({
    market: { symbols, tradesPerSecond: 100, ...options.market },
    limits: { weightMax: WEIGHT_MAX },
    ...(clock && { clock }),
  })
  const stop = new AbortController()
  const log = openLog('test', process.env.TEST_LOG_LEVEL ?? 'silent')
  const restOptions = { apiUrl: simulator.url, weightMaxPerMinute: WEIGHT_MAX }
  const rest = new BinanceRest(restOptions)
  const ingestors: Ingestor[] = []
  let members = 0

  const rig: Rig = {
    simulator,
    redis,
    symbols,
    rest,
    async startIngestor(more = {}) {
      const own = new AbortController()
      const signal = AbortSignal.any([stop.signal, own.signal])
      const ownRedis = await openRedis(server.url, 'ingestor')
      const ownRest = new BinanceRest({ ...restOptions, signal })
      const registry = new Registry()
      const metrics = openMetrics(registry)
      const ended = ingest({
        infos: await ownRest.exchangeInfo(symbols),
        partitions,
        feedShards: 1,
        openLock: shard => openLeaderLock({ url: server.url, key: feedLeaseKey(shard) }),
        openFeed: (of, until) => openTradeFeed({ streamUrl: simulator.streamUrl, symbols: of, signal: until }),
        member: `ingestor-${members++}`,
        redis: ownRedis,
        rest: ownRest,
        metrics,
        log,
        signal,
        ...more,
      }).finally(() => closeRedis(ownRedis))
      ended.catch(() => undefined)
      const ingestor = {
        registry,
        metrics,
        ended,
        async stop() {
          own.abort()
          await ended
        },
      }
      ingestors.push(ingestor)
      return ingestor
    },
    async tagOf(symbol) {
      return (await readSymbols(redis)).get(symbol)!
    },
    async head(symbol) {
      return (await readHeads(redis, await rig.tagOf(symbol), [symbol])).get(symbol)
    },
    async stateOf(symbol) {
      const [status] = await readFeedStatus(redis, [{ tag: await rig.tagOf(symbol), symbol }])
      return status!.state
    },
    async untilCaughtUp() {
      for (const [symbol, { lastTradeId }] of Object.entries(simulator.status().symbols)) {
        if (lastTradeId === null) continue
        await until(`${symbol} is logged to ${lastTradeId}`, async () => (await rig.head(symbol))! >= lastTradeId)
      }
    },
    async untilState(state, of = symbols) {
      for (const symbol of of) await until(`${symbol} is ${state}`, async () => (await rig.stateOf(symbol)) === state)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled(ingestors.map(({ ended }) => ended))
      await simulator.close()
      closeRedis(redis)
    },
  }
  return rig
}

/** Everything that the log has of one symbol, in its order. */
export interface LoggedSymbol {
  readonly blocks: readonly LogBlock[]
  readonly trades: readonly Trade[]
}

/** Reads all logs from their beginning. Entry numbers must follow on. */
export async function readLogs(rig: Rig, url: string): Promise<Map<string, LoggedSymbol>> {
  const logged = new Map<string, { blocks: LogBlock[]; trades: Trade[] }>()
  const reader = await openBlockingRedis(url, 'test-reader', 1_000)
  try {
    for (const tag of new Set((await readSymbols(rig.redis)).values())) {
      const entries = await entriesOf(reader, tag)
      expect(entries.map(({ n }) => n - entries[0]!.n)).toEqual(entries.map((_, index) => index))
      for (const block of entries.flatMap(({ blocks }) => blocks)) {
        const of = logged.get(block.symbol) ?? { blocks: [], trades: [] }
        logged.set(block.symbol, of)
        of.blocks.push(block)
        if (block.packed) of.trades.push(...unpackTrades(block.packed).trades)
      }
    }
  } finally {
    closeRedis(reader)
  }
  return logged
}

async function entriesOf(reader: Parameters<typeof readEntries>[0], tag: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for (;;) {
    const next = await readEntries(reader, tag, entries.at(-1)?.n ?? 0, 1_000, 1)
    if (next.length === 0) return entries
    entries.push(...next)
  }
}

const lineOf = ({ tradeId, tradeTime, price, quantity, takerSide }: Trade) =>
  `${tradeId} ${tradeTime} ${price} ${quantity} ${takerSide}`

/**
 * Checks that the logs hold exactly the exchange's trades of each symbol, from its seed on, in order and each once; that nothing but
 * the exchange's own holes is missing; and gives what they hold.
 */
export async function expectLogsRight(rig: Rig, url: string): Promise<Map<string, LoggedSymbol>> {
  const logged = await readLogs(rig, url)
  for (const symbol of rig.symbols) {
    const { blocks, trades } = logged.get(symbol)!
    expect(blocks[0]!.seed, `${symbol} begins with a seed`).toBeDefined()
    expect(blocks.filter(({ seed }) => seed !== undefined)).toHaveLength(1)
    await expectTrades(rig, symbol, trades, blocks[0]!.seed!.lastTradeId)
  }
  return logged
}

/** Checks that `trades` are the exchange's from the one after `afterId` on. */
export async function expectTrades(rig: Rig, symbol: string, trades: readonly Trade[], afterId: number): Promise<void> {
  const lastId = trades.at(-1)?.tradeId ?? afterId
  const real: Trade[] = []
  for (let next = afterId + 1; next <= lastId; next = real.at(-1)!.tradeId + 1) {
    real.push(...(await rig.rest.historicalTrades(symbol, next)))
  }
  expect(trades.map(lineOf), symbol).toEqual(real.filter(({ tradeId }) => tradeId <= lastId).map(lineOf))
}

/** Checks that no trade was logged after a watermark that promised there were none so early, and gives the number of watermarks. */
export function expectWatermarksRight({ blocks }: LoggedSymbol): number {
  let promised = 0
  let watermarks = 0
  for (const { packed, watermark } of blocks) {
    for (const { tradeId, tradeTime } of packed ? unpackTrades(packed).trades : []) {
      expect(tradeTime, `trade ${tradeId} after a watermark`).toBeGreaterThanOrEqual(promised)
    }
    promised = Math.max(promised, watermark)
    if (watermark > 0) watermarks++
  }
  return watermarks
}
