import { readFileSync } from 'node:fs'
import type { ChainableCommander, Redis } from 'ioredis'
import { type Entry, readStream } from './single-entries.ts'

const MINUTE_MS = 60_000

type FoldTrade = (keys: 3, ...rest: (string | number)[]) => void

/**
 * Instead: the bar lives in Redis, and a script folds each trade into it, 500 calls to a pipeline. It makes the minute alone, in doubles,
 * so a seventh of the bars, and quote volumes that are not the exchange's.
 */
export async function scriptPerTrade(redis: Redis, last: number): Promise<void> {
  redis.defineCommand('foldTrade', { lua: readFileSync(new URL('minute-per-trade.lua', import.meta.url), 'utf8') })
  await readStream(redis, last, async entries => {
    const pipeline = redis.pipeline()
    for (const entry of entries) foldTrade(pipeline, entry)
    for (const [error] of (await pipeline.exec())!) if (error) throw error
  })
}

function foldTrade(pipeline: ChainableCommander, [id, [, time, , price, , quantity, , side]]: Entry): void {
  const openTime = Number(time) - (Number(time) % MINUTE_MS)
  const { foldTrade: fold } = pipeline as unknown as { foldTrade: FoldTrade }
  const keys = ['bar', 'position', 'updates']
  fold.call(pipeline, 3, ...keys, Number.parseInt(id, 10), openTime, price!, quantity!, side!)
}
