import type { Costs } from './costs.ts'
import { EventQueue } from './event-queue.ts'

export interface Pipeline {
  readonly symbols: number
  readonly tradesPerSecond: number
  readonly partitions: number
  /** Redis masters; partitions are dealt out to them. */
  readonly masters: number
  readonly ingestors: number
  readonly aggregators: number
}

export interface PipelineResult {
  /** From a trade's arrival to the end of the commit that has it. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Share of the time in which the busiest process of each kind works. */
  readonly busy: { readonly ingestor: number; readonly redis: number; readonly aggregator: number }
  /** Symbols that an average commit carries, and trades of each. */
  readonly symbolsPerCommit: number
  readonly tradesPerSymbol: number
}

const SECOND_US = 1_000_000
/** Of the simulated time; what comes before is the beginning. */
const WARM_UP_SHARE = 0.25

/** A process of one core: whoever comes waits until those before are done. */
class Core {
  busyUs = 0
  #freeAt = 0

  /** Gives the time at which work of `us` is done that comes at `now`. */
  work(now: number, us: number): number {
    this.busyUs += us
    this.#freeAt = Math.max(this.#freeAt, now) + us
    return this.#freeAt
  }
}

/** Trades that wait, by symbol. */
type Waiting = Map<number, number[]>

/**
 * The way of a trade as a queueing model, every process with a core of its own: for each partition one append is under way and one
 * commit, and what comes meanwhile rides in the next. Trades come at random (Poisson), of all symbols alike.
 * @param seconds simulated time
 */
export function simulatePipeline(
  pipeline: Pipeline,
  costs: Costs,
  seconds: number,
  random: () => number,
): PipelineResult {
  const queue = new EventQueue()
  const coresOf = (count: number) => Array.from({ length: count }, () => new Core())
  const cores = {
    ingestor: coresOf(pipeline.ingestors),
    redis: coresOf(pipeline.masters),
    aggregator: coresOf(pipeline.aggregators),
  }
  const endTime = seconds * SECOND_US
  const tally = new Tally(endTime * WARM_UP_SHARE)
  const partitions = Array.from({ length: pipeline.partitions }, (_, index) => {
    const own = { ingestor: cores.ingestor, redis: cores.redis, aggregator: cores.aggregator }
    return new Partition(queue, costs, tally, {
      ingestor: own.ingestor[index % pipeline.ingestors]!,
      redis: own.redis[index % pipeline.masters]!,
      aggregator: own.aggregator[index % pipeline.aggregators]!,
    })
  })
  const gapUs = SECOND_US / pipeline.tradesPerSecond
  const arrive = () => {
    const symbol = Math.floor(random() * pipeline.symbols)
    partitions[symbol % pipeline.partitions]!.arrive(symbol)
    queue.at(queue.now - Math.log(1 - random()) * gapUs, arrive)
  }
  queue.at(0, arrive)
  queue.runUntil(endTime)
  const busiest = (of: readonly Core[]) => Math.min(1, Math.max(...of.map(({ busyUs }) => busyUs)) / endTime)
  return {
    ...tally.result(),
    busy: {
      ingestor: busiest(cores.ingestor),
      redis: busiest(cores.redis),
      aggregator: busiest(cores.aggregator),
    },
  }
}

class Partition {
  readonly #queue: EventQueue
  readonly #costs: Costs
  readonly #tally: Tally
  readonly #cores: { readonly ingestor: Core; readonly redis: Core; readonly aggregator: Core }
  #unlogged: Waiting = new Map()
  #unfolded: Waiting = new Map()
  #appending = false
  #committing = false

  constructor(queue: EventQueue, costs: Costs, tally: Tally, cores: Record<'ingestor' | 'redis' | 'aggregator', Core>) {
    this.#queue = queue
    this.#costs = costs
    this.#tally = tally
    this.#cores = cores
  }

  arrive(symbol: number): void {
    addTo(this.#unlogged, symbol, [this.#queue.now])
    if (!this.#appending) this.#append()
  }

  #append(): void {
    const { ingestorCallUs, ingestorSymbolUs, ingestorTradeUs, appendCallUs, appendSymbolUs, hopUs } = this.#costs
    const carried = this.#unlogged
    this.#unlogged = new Map()
    this.#appending = true
    const work = ingestorCallUs + carried.size * ingestorSymbolUs + tradesOf(carried) * ingestorTradeUs
    const sentAt = this.#cores.ingestor.work(this.#queue.now, work)
    this.#queue.at(sentAt + hopUs / 2, () => {
      const loggedAt = this.#cores.redis.work(this.#queue.now, appendCallUs + carried.size * appendSymbolUs)
      this.#queue.at(loggedAt + hopUs / 2, () => this.#onLogged(carried))
    })
  }

  #onLogged(carried: Waiting): void {
    for (const [symbol, times] of carried) addTo(this.#unfolded, symbol, times)
    if (!this.#committing) this.#commit()
    this.#appending = false
    if (this.#unlogged.size > 0) this.#append()
  }

  #commit(): void {
    const { aggregatorCallUs, aggregatorSymbolUs, aggregatorTradeUs, commitCallUs, commitSymbolUs, hopUs } = this.#costs
    const carried = this.#unfolded
    this.#unfolded = new Map()
    this.#committing = true
    const work = aggregatorCallUs + carried.size * aggregatorSymbolUs + tradesOf(carried) * aggregatorTradeUs
    const sentAt = this.#cores.aggregator.work(this.#queue.now, work)
    this.#queue.at(sentAt + hopUs / 2, () => {
      const doneAt = this.#cores.redis.work(this.#queue.now, commitCallUs + carried.size * commitSymbolUs)
      this.#queue.at(doneAt + hopUs / 2, () => {
        this.#tally.add(carried, this.#queue.now)
        this.#committing = false
        if (this.#unfolded.size > 0) this.#commit()
      })
    })
  }
}

class Tally {
  readonly #since: number
  readonly #latencies: number[] = []
  #commits = 0
  #symbols = 0
  #trades = 0

  constructor(since: number) {
    this.#since = since
  }

  add(carried: Waiting, now: number): void {
    if (now < this.#since) return
    this.#commits++
    this.#symbols += carried.size
    for (const times of carried.values()) {
      this.#trades += times.length
      for (const time of times) this.#latencies.push(now - time)
    }
  }

  result(): Omit<PipelineResult, 'busy'> {
    const sorted = Float64Array.from(this.#latencies).sort()
    const percentile = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! / 1_000
    return {
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
      symbolsPerCommit: this.#symbols / this.#commits,
      tradesPerSymbol: this.#trades / this.#symbols,
    }
  }
}

function addTo(waiting: Waiting, symbol: number, times: readonly number[]): void {
  const known = waiting.get(symbol)
  if (known === undefined) waiting.set(symbol, [...times])
  else known.push(...times)
}

function tradesOf(waiting: Waiting): number {
  let trades = 0
  for (const times of waiting.values()) trades += times.length
  return trades
}
