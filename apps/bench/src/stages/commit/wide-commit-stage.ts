import { startRedis } from '@chart/servers'
import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import type { OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import type { WideEntries } from './wide-log.ts'

/** Symbols of all commits of a whole run. */
const SYMBOLS = 6_000

interface Way extends WideEntries {
  readonly role: Variant['role']
  /** What is written by itself, without a log; everything that the aggregator's loop does by default. */
  readonly writes?: 'values' | 'fields'
}

/** What 2,000 symbols at 20,000 trades a second bring to one partition of 32 while it keeps up; and its clock, once a second. */
const WAYS: Readonly<Record<string, Way>> = {
  '2 trades of 1 symbol': { role: 'ours', symbols: 1, trades: 2 },
  '2 trades of each of 5 symbols': { role: 'ours', symbols: 5, trades: 2 },
  '2 trades of each of 64 symbols': { role: 'ours', symbols: 64, trades: 2 },
  'a watermark of each of 64 symbols': { role: 'ours', symbols: 64, trades: 0 },
  'ready values of 64 symbols, pipelined': { role: 'floor', symbols: 64, trades: 2, writes: 'values' },
  'MULTI of all fields of 64 symbols, ready': { role: 'instead', symbols: 64, trades: 2, writes: 'fields' },
}
const WIDE = '2 trades of each of 64 symbols'

export const wideCommitStage: Stage = {
  name: 'wide-commit',
  job: 'one commit of a partition of 64 symbols and seven intervals, by what its entry carries',
  figures: [
    { name: 'perSecond', unit: 'symbols/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU a symbol', better: 'less' },
    { name: 'redisCpuUs', unit: 'µs CPU of Redis a symbol', better: 'less' },
  ],
  variants: Object.entries(WAYS).map(([name, { role }]) => ({ name, role })),
  comparisons: [
    { variant: WIDE, against: 'ready values of 64 symbols, pipelined', figure: 'redisCpuUs' },
    { variant: WIDE, against: 'MULTI of all fields of 64 symbols, ready', figure: 'redisCpuUs' },
    { variant: WIDE, against: 'MULTI of all fields of 64 symbols, ready', figure: 'cpuUs' },
  ],
  open,
}

async function open(size: number): Promise<OpenStage> {
  const redis = await startRedis()
  const processes = new Map<string, BenchProcess>()
  for (const [name, { symbols, trades, writes = '' }] of Object.entries(WAYS)) {
    const env = {
      REDIS_PORT: String(redis.port),
      ENTRIES: String(Math.ceil((SYMBOLS * size) / symbols)),
      WRITES: writes,
      SYMBOLS: String(symbols),
      TRADES: String(trades),
    }
    processes.set(name, startProcess(new URL('wide-process.ts', import.meta.url), env))
  }
  return {
    run: name => processes.get(name)!.ask<Sample>('run'),
    async [Symbol.asyncDispose]() {
      for (const process of processes.values()) await process[Symbol.asyncDispose]()
      await redis.close()
    },
  }
}
