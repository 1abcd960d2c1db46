import { setTimeout as sleep } from 'node:timers/promises'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { newestTradeIds } from './exchange-status.ts'
import { type Pause, Waiting } from './waiting.ts'

/** How exactly the end of a pause is known. One script call of some 100 µs each time. */
const SAMPLE_MS = 20
/** How exactly its beginning is known, which is less telling. The exchange needs about half a millisecond for an answer. */
const EXCHANGE_SAMPLE_MS = 50

/**
 * For each partition: the sum of its symbols' last trade ids in the log, the number of the last entry, the number of the last entry that is
 * folded, and the tokens of the owners. One round trip; all keys are on one server here, so that the script may name them itself.
 */
const SAMPLE = `
local told = {}
for _, tag in ipairs(ARGV) do
  local ids = 0
  local seq = '0'
  local heads = redis.call('HGETALL', 'heads:' .. tag)
  for index = 1, #heads, 2 do
    if heads[index] == 'seq' then seq = heads[index + 1] else ids = ids + tonumber(heads[index + 1]) end
  end
  told[#told + 1] = string.format('%.0f', ids)
  told[#told + 1] = seq
  told[#told + 1] = redis.call('HGET', 'position:' .. tag, 'pos') or '0'
  told[#told + 1] = redis.call('HGET', 'own:' .. tag .. ':ingest', 'token') or ''
  told[#told + 1] = redis.call('HGET', 'own:' .. tag .. ':aggregate', 'token') or ''
end
return told`
const VALUES_PER_TAG = 5

/** One partition, and how far the exchange, its log and its bars are. */
interface Partition {
  readonly tag: string
  readonly symbols: readonly string[]
  /** Trades of the exchange that the log lacks. */
  readonly log: Waiting
  /** Entries of the log that the bars lack. */
  readonly commit: Waiting
}

export interface SamplerOptions {
  /** Of Redis itself, past every proxy. */
  readonly redisUrl: string
  readonly exchangeUrl: string
  /** Symbol → tag of its partition. */
  readonly tags: ReadonlyMap<string, string>
}

/** Looks at exchange and Redis all the time, and notes when something waits that does not move. */
export class ProgressSampler implements AsyncDisposable {
  readonly pauses: Pause[] = []
  readonly #redis: RedisConnection
  readonly #exchangeUrl: string
  readonly #partitions: readonly Partition[]
  readonly #stop = new AbortController()
  readonly #sampling: Promise<unknown>

  private constructor(redis: RedisConnection, { exchangeUrl, tags }: SamplerOptions) {
    this.#redis = redis
    this.#exchangeUrl = exchangeUrl
    this.#partitions = [...Map.groupBy(tags.keys(), symbol => tags.get(symbol)!)].map(([tag, symbols]) => ({
      tag,
      symbols,
      log: new Waiting(tag, 'log', this.pauses),
      commit: new Waiting(tag, 'commit', this.pauses),
    }))
    this.#sampling = Promise.all([
      this.#keep(SAMPLE_MS, () => this.#sampleRedis()),
      this.#keep(EXCHANGE_SAMPLE_MS, () => this.#sampleExchange()),
    ])
  }

  static async open(options: SamplerOptions): Promise<ProgressSampler> {
    return new ProgressSampler(await openRedis(options.redisUrl, 'chaos-sampler'), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#sampling
    closeRedis(this.#redis)
  }

  async #keep(everyMs: number, sample: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // A server that is away moves nothing: the pauses go on.
      await sample().catch(() => undefined)
      await sleep(everyMs)
    }
  }

  async #sampleExchange(): Promise<void> {
    const newest = await newestTradeIds(this.#exchangeUrl)
    const now = performance.now()
    for (const { symbols, log } of this.#partitions) {
      log.expect(
        symbols.reduce((sum, symbol) => sum + (newest.get(symbol) ?? 0), 0),
        now,
      )
    }
  }

  async #sampleRedis(): Promise<void> {
    const told = (await this.#redis.eval(SAMPLE, 0, ...this.#partitions.map(({ tag }) => tag))) as string[]
    const now = performance.now()
    for (const [index, { log, commit }] of this.#partitions.entries()) {
      const [ids, seq, position, ingestToken, aggregateToken] = told.slice(index * VALUES_PER_TAG)
      log.reach(Number(ids), ingestToken!, now)
      commit.reach(Number(position), aggregateToken!, now)
      commit.expect(Number(seq), now)
    }
  }
}
