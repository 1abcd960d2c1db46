import { setTimeout as sleep } from 'node:timers/promises'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'

/** How exactly pauses are measured. One script call of some 100 µs each time. */
const SAMPLE_MS = 20
/** Shorter ones are the usual distance between trades of a partition. */
const PAUSE_MIN_MS = 100

/**
 * For each partition: the sum of its symbols' last trade ids in the log, the number of the last entry that is folded, and the tokens of
 * the owners. One round trip; all keys are on one server here, so that the script may name them itself.
 */
const SAMPLE = `
local told = {}
for _, tag in ipairs(ARGV) do
  local ids = 0
  local heads = redis.call('HGETALL', 'heads:' .. tag)
  for index = 1, #heads, 2 do
    if heads[index] ~= 'seq' then ids = ids + tonumber(heads[index + 1]) end
  end
  told[#told + 1] = string.format('%.0f', ids)
  told[#told + 1] = redis.call('HGET', 'position:' .. tag, 'pos') or '0'
  told[#told + 1] = redis.call('HGET', 'own:' .. tag .. ':ingest', 'token') or ''
  told[#told + 1] = redis.call('HGET', 'own:' .. tag .. ':aggregate', 'token') or ''
end
return told`

/** What moves: trades into the logs, or folded entries into the bars. */
export type Progress = 'log' | 'commit'

/** A time in which nothing moved for a partition. Times are those of performance.now(). */
export interface Pause {
  readonly tag: string
  readonly progress: Progress
  readonly from: number
  readonly to: number
  /** Another owner works on it after the pause. */
  readonly changedOwner: boolean
}

interface Track {
  readonly tag: string
  readonly progress: Progress
  value: number
  token: string
  movedTime: number
}

/** Looks at Redis all the time and notes where nothing moves. */
export class ProgressSampler implements AsyncDisposable {
  readonly pauses: Pause[] = []
  readonly #redis: RedisConnection
  readonly #tags: readonly string[]
  readonly #tracks: readonly Track[]
  readonly #stop = new AbortController()
  readonly #sampling: Promise<void>

  private constructor(redis: RedisConnection, tags: readonly string[]) {
    this.#redis = redis
    this.#tags = tags
    const now = performance.now()
    this.#tracks = tags.flatMap(tag =>
      (['log', 'commit'] as const).map(progress => ({ tag, progress, value: 0, token: '', movedTime: now })),
    )
    this.#sampling = this.#sample()
  }

  /** @param url of Redis itself, past every proxy */
  static async open(url: string, tags: readonly string[]): Promise<ProgressSampler> {
    return new ProgressSampler(await openRedis(url, 'chaos-sampler'), tags)
  }

  /** Partitions in which something has not moved since `time`. */
  standingSince(time: number): string[] {
    return this.#tracks.filter(({ movedTime }) => movedTime < time).map(({ tag, progress }) => `${progress} of ${tag}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#sampling
    closeRedis(this.#redis)
  }

  async #sample(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#take((await this.#redis.eval(SAMPLE, 0, ...this.#tags)) as string[])
      } catch {
        // A Redis that is away moves nothing: the pause goes on.
      }
      await sleep(SAMPLE_MS)
    }
  }

  #take(told: readonly string[]): void {
    const now = performance.now()
    for (const [index, track] of this.#tracks.entries()) {
      const at = Math.floor(index / 2) * 4 + (index % 2)
      const value = Number(told[at])
      // After Redis lost its tail the same ids come again: that is no progress yet.
      if (value <= track.value) continue
      const token = told[at + 2]!
      if (now - track.movedTime >= PAUSE_MIN_MS) {
        const { tag, progress, movedTime: from } = track
        this.pauses.push({ tag, progress, from, to: now, changedOwner: track.token !== token && track.token !== '' })
      }
      track.value = value
      track.token = token
      track.movedTime = now
    }
  }
}
