import { decodeBar, decodeUpdate, type IntervalBar, type SymbolUpdate } from '@chart/grpc'
import { type BarText, type Interval, intervalOf } from '@chart/market'
import { decodeEntry, headsKey, positionKey, stateKey } from '@chart/redis'
import type { SymbolMarket } from './market.ts'
import { blocksOf } from './model-redis/append.ts'
import type { ModelRedis, RanCommand } from './model-redis/model-redis.ts'
import { textOf } from './model-redis/script.ts'
import { faultOf, Oracle } from './oracle.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'

/** Something that must never be was. */
export class BrokenPromiseError extends Error {
  override name = 'BrokenPromiseError'
}

/**
 * Sees every script that Redis runs and holds it against what the exchange traded: every bar right at the moment it is published, the
 * position never ahead of the bars, no hole but the exchange's own, no watermark promised against better knowledge.
 */
export class Witness {
  readonly oracles = new Map<string, Oracle>()
  fallBacks = 0
  readonly #redis: ModelRedis
  readonly #markets: ReadonlyMap<string, SymbolMarket>
  readonly #intervals: readonly Interval[]
  readonly #tally: Tally
  readonly #fail: (error: BrokenPromiseError) => void
  /**
   * What each log entry left as heads, by its number and nonce: a number may be given twice after Redis fell back, and a nonce when
   * watermarks alone are appended twice.
   */
  readonly #headsAfter = new Map<string, ReadonlyMap<string, string>>()
  readonly #positions = new Map<string, number>()
  /** Highest id that a process was told of, by symbol. */
  readonly #told = new WeakMap<SimulatedProcess, Map<string, number>>()

  constructor(options: {
    redis: ModelRedis
    markets: readonly SymbolMarket[]
    intervals: readonly Interval[]
    tally: Tally
    fail(error: BrokenPromiseError): void
  }) {
    this.#redis = options.redis
    this.#markets = new Map(options.markets.map(market => [market.symbol, market]))
    this.#intervals = options.intervals
    this.#tally = options.tally
    this.#fail = options.fail
    options.redis.onRan(ran => this.#onRan(ran))
  }

  broken(promise: string, detail: string): void {
    this.#fail(new BrokenPromiseError(`${promise}: ${detail}`))
  }

  /** Redis fell back to an earlier state of itself: positions may be lower than before. */
  fellBack(): void {
    this.fallBacks++
    this.#positions.clear()
  }

  /** The feed of `owner` has told of a trade. */
  tradeTold(owner: SimulatedProcess, symbol: string, tradeId: number): void {
    let told = this.#told.get(owner)
    if (told === undefined) {
      told = new Map()
      this.#told.set(owner, told)
    }
    if (tradeId > (told.get(symbol) ?? -1)) told.set(symbol, tradeId)
  }

  /** `owner` sends an append: nothing that it knows to be missing may lie before a watermark. */
  appending(owner: SimulatedProcess, values: readonly unknown[]): void {
    const args = values.slice(1 + Number(values[0])) as (string | Buffer)[]
    for (const { symbol, newLast, watermark } of blocksOf(args)) {
      const toldId = this.#told.get(owner)?.get(symbol) ?? -1
      if (watermark === '' || toldId <= Number(newLast)) continue
      const missing = this.#markets
        .get(symbol)!
        .trades.find(
          ({ trade }) =>
            trade.tradeId > Number(newLast) && trade.tradeId <= toldId && trade.tradeTime < Number(watermark),
        )
      if (missing === undefined) continue
      this.broken(
        'a watermark promises only what is known',
        `${owner.name} appends watermark ${watermark} of ${symbol} behind trade ${newLast} although it was told of ${toldId}`,
      )
    }
  }

  #onRan({ command, keys, args, reply }: RanCommand): void {
    if ((reply as unknown[])?.[0] !== 'OK') return
    if (command === 'appendEntry') this.#onAppend(keys, args, Number((reply as string[])[1]))
    else if (command === 'commitBars' || command === 'commitPositionApart') this.#onCommit(keys, args)
    else if (command === 'rewindLog') this.#checkPosition(keys[3]!)
  }

  #onAppend(keys: readonly string[], args: readonly (string | Buffer)[], n: number): void {
    const { store } = this.#redis
    const entries = store.stream(keys[2]!)!.entries
    const before = entries.at(-2)
    if (before !== undefined && before.n !== n - 1) this.broken('log numbers follow on', `${n} follows ${before.n}`)
    for (const { symbol, expected, first, hole } of blocksOf(args)) {
      if (expected === '') this.#onSeed(args[2] as Buffer, symbol)
      else if (first !== '') this.#onTrades(symbol, Number(expected), Number(first), hole === '1')
    }
    this.#headsAfter.set(`${n} ${textOf(args[1])}`, new Map(store.hash(keys[1]!)))
  }

  #onSeed(payload: Buffer, symbol: string): void {
    const seed = decodeEntry(payload).blocks.find(block => block.symbol === symbol)?.seed
    if (seed === undefined) {
      this.broken('a log begins with a seed', symbol)
      return
    }
    this.#tally.add('seeds')
    const { trades } = this.#markets.get(symbol)!
    const passed = trades.find(({ trade }) => trade.tradeId <= seed.lastTradeId && trade.tradeTime >= seed.sinceTime)
    if (passed !== undefined) {
      this.broken('a log is whole since the time it says', `${symbol}: trade ${passed.trade.tradeId} is not in it`)
    }
    const known = this.oracles.get(symbol)
    if (known === undefined) {
      const oracle = new Oracle(this.#markets.get(symbol)!, this.#intervals, seed.lastTradeId, seed.sinceTime)
      this.oracles.set(symbol, oracle)
    } else if (known.seedId !== seed.lastTradeId)
      this.broken('a log begins once', `${symbol} again at ${seed.lastTradeId}`)
  }

  #onTrades(symbol: string, expected: number, first: number, hole: boolean): void {
    this.#tally.add('appends with trades')
    if (hole) this.#tally.add('holes appended')
    if (first === expected + 1) return
    const skipped = this.#markets
      .get(symbol)!
      .trades.find(({ trade }) => trade.tradeId > expected && trade.tradeId < first)
    if (skipped === undefined) return
    this.broken(
      'a hole in the log is one of the exchange',
      `${symbol} goes on with ${first} after ${expected}, and the exchange has ${skipped.trade.tradeId}`,
    )
  }

  #onCommit(keys: readonly string[], args: readonly (string | Buffer)[]): void {
    this.#checkPosition(keys[1]!)
    this.#checkStates(keys[1]!, `${textOf(args[3])} ${textOf(args[4])}`)
    const update = decodeUpdate(args[6] as Buffer)
    for (const symbol of update.symbols) this.#checkBars(symbol)
  }

  /** The position only goes on, and not beyond the log. */
  #checkPosition(key: string): void {
    const tag = key.slice(key.indexOf(':') + 1)
    const pos = Number(this.#redis.store.hget(key, 'pos'))
    const before = this.#positions.get(tag) ?? 0
    this.#positions.set(tag, pos)
    if (pos < before) this.broken('a position goes on', `${tag} went from ${before} to ${pos}`)
    const seq = Number(this.#redis.store.hget(headsKey(tag), 'seq') ?? pos)
    if (pos > seq) this.broken('a position stands in the log', `${tag} is at ${pos} of ${seq}`)
  }

  /** Whatever the log says up to the position is in the bars. */
  #checkStates(key: string, entry: string): void {
    const tag = key.slice(key.indexOf(':') + 1)
    for (const [symbol, head] of this.#headsAfter.get(entry) ?? []) {
      if (symbol === 'seq') continue
      const last = this.#redis.store.hget(stateKey(tag, symbol), 'lastTradeId')
      if (last !== null && Number(last) >= Number(head)) continue
      this.broken(
        'bars hold all trades up to the position',
        `${symbol} ends at ${last}, and the log at ${positionKey(tag)} at ${head}`,
      )
    }
  }

  #checkBars(update: SymbolUpdate): void {
    const oracle = this.oracles.get(update.symbol)
    if (oracle === undefined) {
      this.broken('bars come from a log', update.symbol)
      return
    }
    const newest = new Map(update.closed.map(bar => [`${bar.interval} ${bar.openTime}`, bar]))
    for (const one of update.closed) {
      const isNewest = newest.get(`${one.interval} ${one.openTime}`) === one
      this.#checkBar(oracle, one, isNewest ? update.throughTradeId : undefined)
    }
    for (const one of update.live) this.#checkBar(oracle, one, update.throughTradeId)
    this.#tally.add('bars checked when published', update.closed.length + update.live.length)
  }

  /** @param throughId undefined for a bar that the same update restates: it is right up to its own last trade */
  #checkBar(oracle: Oracle, { bar: bytes }: IntervalBar, throughId: number | undefined): void {
    const bar = decodeBar(bytes)
    const promise = 'a published bar is right for the trades so far'
    const isFlatOnTheWay = bar.tradeCount === 0 && throughId === undefined
    const difference = isFlatOnTheWay ? undefined : faultOf(oracle, bar, throughId ?? bar.lastTradeId)
    if (difference !== undefined) {
      this.broken(promise, `${nameOf(bar)} revision ${bar.revision} through trade ${throughId}: ${difference}`)
    }
    if (bar.complete && !mayBeComplete(oracle, bar)) {
      this.broken('a complete bar lacks no id', `${nameOf(bar)} of trades ${bar.firstTradeId} to ${bar.lastTradeId}`)
    }
  }
}

function nameOf({ symbol, interval, openTime }: BarText): string {
  return `${symbol} ${interval} ${new Date(openTime).toISOString().slice(11, 19)}`
}

/** No id is missing in it or right before it, and it began after the log. */
function mayBeComplete(oracle: Oracle, bar: BarText): boolean {
  if (bar.openTime < oracle.sinceTime) return false
  if (bar.tradeCount === 0) return true
  if (bar.tradeCount !== bar.lastTradeId - bar.firstTradeId + 1) {
    // Late trades lie in another bar, and ids between two of ours may be theirs; only the exchange's own holes spoil a bar.
    for (const tradeId of oracle.market.holes.keys()) {
      if (tradeId > bar.firstTradeId && tradeId <= bar.lastTradeId && isIn(oracle, bar, tradeId)) return false
    }
  }
  return !oracle.market.holes.has(bar.firstTradeId) || bar.firstTradeId === oracle.seedId + 1
}

function isIn({ market }: Oracle, bar: BarText, tradeId: number): boolean {
  const { intervalMs } = intervalOf(bar.interval)
  const trade = market.trades.find(one => one.trade.tradeId === tradeId)?.trade
  return trade !== undefined && trade.tradeTime >= bar.openTime && trade.tradeTime < bar.openTime + intervalMs
}
