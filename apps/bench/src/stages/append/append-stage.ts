import { type Trade, unpackTrades } from '@chart/market'
import { appendEntry, closeRedis, logKey, openBlockingRedis, openRedis, readEntries } from '@chart/redis'
import { type RedisServer, redisCommand, startRedis } from '@chart/servers'
import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import { redisCpuUs } from '../../harness/redis-cpu.ts'
import type { OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import { GENERATED_SYMBOLS, generatedTrades, lineOf, printedTrade } from './generated-trades.ts'
import { redisBenchmark } from './redis-benchmark.ts'
import { blockOf, claimed, seedLog } from './seeded-partition.ts'

/** Trades of a whole run. */
const TRADES = 120_000

const VARIANTS: readonly Variant[] = [
  { name: 'entries of 100', role: 'ours' },
  { name: 'entries of 500', role: 'ours' },
  { name: "the ingestor's loop", role: 'ours' },
  { name: 'redis-benchmark -P 100', role: 'floor' },
  { name: 'redis-benchmark -P 1', role: 'floor' },
  { name: 'pipelines of 100 XADDs', role: 'instead' },
  { name: 'an awaited XADD a trade', role: 'instead' },
]
/** The floors are programs of their own: how many XADDs of one are under way, and which share of the work it does. */
const BENCHMARKS: Readonly<Record<string, { pipelined: number; share: number }>> = {
  'redis-benchmark -P 100': { pipelined: 100, share: 1 },
  'redis-benchmark -P 1': { pipelined: 1, share: 0.1 },
}

export const appendStage: Stage = {
  name: 'append',
  job: 'trades of one symbol into the trade log, each once and in order',
  figures: [
    { name: 'perSecond', unit: 'trades/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU a trade', better: 'less' },
    { name: 'redisCpuUs', unit: 'µs CPU of Redis a trade', better: 'less' },
    { name: 'bytes', unit: 'bytes a trade in Redis', better: 'less' },
  ],
  variants: VARIANTS,
  comparisons: [
    { variant: 'entries of 100', against: 'redis-benchmark -P 100', figure: 'perSecond', atLeast: 0.65 },
    { variant: 'entries of 100', against: 'pipelines of 100 XADDs', figure: 'perSecond', atLeast: 3 },
    { variant: 'entries of 100', against: 'an awaited XADD a trade', figure: 'perSecond' },
    { variant: 'entries of 500', against: 'redis-benchmark -P 100', figure: 'perSecond', atLeast: 1.3 },
    { variant: "the ingestor's loop", against: 'redis-benchmark -P 100', figure: 'perSecond' },
    // At most 0.6 of its CPU.
    { variant: 'entries of 100', against: 'pipelines of 100 XADDs', figure: 'redisCpuUs', atLeast: 1.67 },
    { variant: 'entries of 100', against: 'an awaited XADD a trade', figure: 'redisCpuUs', atLeast: 1.67 },
    { variant: 'entries of 100', against: 'pipelines of 100 XADDs', figure: 'cpuUs' },
    { variant: 'entries of 100', against: 'pipelines of 100 XADDs', figure: 'bytes' },
  ],
  open,
}

async function open(size: number): Promise<OpenStage> {
  const redis = await startRedis()
  const trades = Math.round(TRADES * size)
  const processes = new Map<string, BenchProcess>()
  const close = async () => {
    for (const process of processes.values()) await process[Symbol.asyncDispose]()
    await redis.close()
  }
  try {
    await checkAppends(redis)
    for (const { name } of VARIANTS.filter(({ name }) => BENCHMARKS[name] === undefined)) {
      const env = { REDIS_PORT: String(redis.port), WAY: name, TRADES: String(trades) }
      processes.set(name, startProcess(new URL('append-process.ts', import.meta.url), env))
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    run: name => processes.get(name)?.ask<Sample>('run') ?? runBenchmark(redis, name, trades),
    [Symbol.asyncDispose]: close,
  }
}

async function runBenchmark(redis: RedisServer, name: string, trades: number): Promise<Sample> {
  const { pipelined, share } = BENCHMARKS[name]!
  const requests = Math.round(trades * share)
  // A value with commas would be taken apart where its rate is read.
  const value = lineOf(printedTrade(generatedTrades(GENERATED_SYMBOLS[0]!, 1, 300)[0]!)).replaceAll(',', ';')
  await redisCommand(redis.port, 'FLUSHALL SYNC')
  const before = await redisCpuUs(redis.port)
  const perSecond = await redisBenchmark(redis.port, requests, pipelined, value)
  return { perSecond, redisCpuUs: ((await redisCpuUs(redis.port)) - before) / requests }
}

/** What is appended is refused a second time, and read back as it was. */
async function checkAppends({ url }: RedisServer): Promise<void> {
  const tag = '{p00}'
  const connection = await openRedis(url, 'check')
  const reader = await openBlockingRedis(url, tag, 1_000)
  try {
    const claim = await claimed(connection, tag, 'ingest')
    await seedLog(
      connection,
      claim,
      GENERATED_SYMBOLS.map(({ symbol }) => symbol),
    )
    const written = GENERATED_SYMBOLS.map(of => ({ symbol: of.symbol, trades: generatedTrades(of, 1_000, 300) }))
    const blocks = written.map(({ symbol, trades }) => blockOf(symbol, trades))
    const first = await appendEntry(connection, claim, blocks)
    const second = await appendEntry(connection, claim, blocks)
    if (first.kind !== 'appended' || second.kind !== 'mismatch') {
      throw new Error(`${logKey(tag)} answers ${first.kind} to trades and ${second.kind} to the same trades again`)
    }
    const entries = await readEntries(reader, tag, 0, 10, 1)
    for (const { symbol, trades } of written) {
      const read = entries.flatMap(entry => entry.blocks.filter(block => block.symbol === symbol && block.packed))
      const readTrades = read.flatMap(block => unpackTrades(block.packed!).trades)
      if (textOf(readTrades) !== textOf(trades)) throw new Error(`the trades of ${symbol} are read back otherwise`)
    }
  } finally {
    closeRedis(reader)
    closeRedis(connection)
  }
}

function textOf(trades: readonly Trade[]): string {
  return trades.map(trade => lineOf(printedTrade(trade))).join('\n')
}
