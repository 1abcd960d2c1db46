import type { BarText } from '@chart/market'
import { isPostgresDataError, type Postgres, upsertBars } from '@chart/postgres'
import type { Metrics } from './metrics.ts'

/** Bars of one upsert, which is one statement; a single job of more is written in one go all the same. */
const BATCH_BARS_MAX = 500

/** Takes bars from many jobs at once and writes them together. */
export interface BarWriter {
  /**
   * Resolves when every bar is either on disk or refused for good: the errors by their bar's place, undefined for stored
   * ones. Rejects when PostgreSQL cannot take bars now; any of them may be stored then.
   */
  write(bars: readonly BarText[]): Promise<(Error | undefined)[]>
}

/**
 * One upsert at a time; what arrives meanwhile rides in the next one. So a quiet minute is written at once, and a busy one
 * in batches, without a timer. What waits here is bounded by the jobs that the worker takes at once.
 */
export function openBarWriter(postgres: Postgres, metrics: Metrics): BarWriter {
  interface Waiting {
    readonly bars: readonly BarText[]
    readonly answer: PromiseWithResolvers<(Error | undefined)[]>
  }
  const queue: Waiting[] = []
  let writing = false

  async function writeAll(): Promise<void> {
    writing = true
    for (let group = nextGroup(); group.length > 0; group = nextGroup()) {
      try {
        const errors = await writeBatch(group.flatMap(({ bars }) => bars))
        let start = 0
        for (const { bars, answer } of group) {
          answer.resolve(errors.slice(start, start + bars.length))
          start += bars.length
        }
      } catch (error) {
        for (const { answer } of group) answer.reject(error)
      }
    }
    writing = false
  }

  function nextGroup(): Waiting[] {
    let count = 0
    const tooMany = queue.findIndex(({ bars }, index) => {
      count += bars.length
      return index > 0 && count > BATCH_BARS_MAX
    })
    return queue.splice(0, tooMany < 0 ? queue.length : tooMany)
  }

  /** One statement for all; if a bar among them is refused, one statement for each, so that it holds up no other. */
  async function writeBatch(bars: readonly BarText[]): Promise<(Error | undefined)[]> {
    try {
      await upsert(bars)
      return bars.map(() => undefined)
    } catch (error) {
      if (!isPostgresDataError(error)) throw error
    }
    const errors: (Error | undefined)[] = []
    for (const bar of bars) errors.push(await upsertOne(bar))
    return errors
  }

  async function upsertOne(bar: BarText): Promise<Error | undefined> {
    try {
      await upsert([bar])
      return undefined
    } catch (error) {
      if (!isPostgresDataError(error)) throw error
      return error as Error
    }
  }

  async function upsert(bars: readonly BarText[]): Promise<void> {
    const stop = metrics.upsertSeconds.startTimer()
    try {
      const { written } = await upsertBars(postgres, bars)
      metrics.batchBars.observe(bars.length)
      metrics.bars.inc({ result: 'written' }, written)
      metrics.bars.inc({ result: 'unchanged' }, bars.length - written)
      if (written === bars.length) observeDelays(bars)
    } finally {
      stop()
    }
  }

  /** Of bars that are stored for the first time: in a batch of which some were there already nobody knows which those are, so none is observed. */
  function observeDelays(bars: readonly BarText[]): void {
    const now = Date.now()
    for (const { revision, closeTime } of bars) {
      if (revision === 0) metrics.storedSeconds.observe(Math.max(0, now - closeTime - 1) / 1_000)
    }
  }

  return {
    write(bars) {
      if (bars.length === 0) return Promise.resolve([])
      const answer = Promise.withResolvers<(Error | undefined)[]>()
      queue.push({ bars, answer })
      if (!writing) void writeAll()
      return answer.promise
    },
  }
}
