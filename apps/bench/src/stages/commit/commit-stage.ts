import { startRedis } from '@chart/servers'
import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import type { OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'

/** Trades of a whole run. */
const TRADES = 300_000

const OURS: readonly Variant[] = [
  { name: "the aggregator's loop", role: 'ours' },
  { name: "the aggregator's loop, an entry a commit", role: 'ours' },
]
const VARIANTS: readonly Variant[] = [
  ...OURS,
  { name: 'XREAD of the same entries, dropped', role: 'floor' },
  { name: 'XREAD of 500 entries of a trade, dropped', role: 'floor' },
  { name: 'a script call a trade', role: 'instead' },
  { name: 'a consumer group', role: 'instead' },
]

export const commitStage: Stage = {
  name: 'commit',
  job: 'trades of one symbol from the trade log to bars of seven intervals, each counted once (instead: of a minute, in doubles)',
  figures: [
    { name: 'perSecond', unit: 'trades/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU a trade', better: 'less' },
    { name: 'redisCpuUs', unit: 'µs CPU of Redis a trade', better: 'less' },
  ],
  variants: VARIANTS,
  comparisons: [
    { variant: OURS[0]!.name, against: 'XREAD of 500 entries of a trade, dropped', figure: 'perSecond', atLeast: 0.9 },
    { variant: OURS[0]!.name, against: 'XREAD of the same entries, dropped', figure: 'perSecond' },
    { variant: OURS[0]!.name, against: 'a script call a trade', figure: 'perSecond', atLeast: 6 },
    { variant: OURS[0]!.name, against: 'a consumer group', figure: 'perSecond' },
    { variant: OURS[1]!.name, against: 'a script call a trade', figure: 'perSecond' },
    { variant: OURS[1]!.name, against: 'a consumer group', figure: 'perSecond' },
    { variant: OURS[0]!.name, against: 'a script call a trade', figure: 'redisCpuUs' },
    { variant: OURS[0]!.name, against: 'a consumer group', figure: 'cpuUs' },
  ],
  open,
}

async function open(size: number): Promise<OpenStage> {
  const redis = await startRedis()
  const processes = new Map<string, BenchProcess>()
  const close = async () => {
    for (const process of processes.values()) await process[Symbol.asyncDispose]()
    await redis.close()
  }
  try {
    for (const { name } of VARIANTS) {
      const env = { REDIS_PORT: String(redis.port), WAY: name, TRADES: String(Math.round(TRADES * size)) }
      processes.set(name, startProcess(new URL('commit-process.ts', import.meta.url), env))
    }
    for (const { name } of OURS) await processes.get(name)!.ask('check')
  } catch (error) {
    await close()
    throw error
  }
  return { run: name => processes.get(name)!.ask<Sample>('run'), [Symbol.asyncDispose]: close }
}
