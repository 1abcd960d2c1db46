import type { FeedState } from '@chart/market'
import { type FeedStatus, type RedisCommands, readFeedStatus } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import { BarsBehind } from './bars-behind.ts'
import type { FeedView } from './wire.ts'

/** A feed's state is watched this often; feeds write at least once a second themselves. */
const LOOK_MS = 1_000

/** As long as a feed may be silent before it counts as stale, Redis may be before nothing is known of any feed. */
const SILENCE_MAX_MS = 5_000

const STATES: ReadonlySet<string> = new Set<FeedState>(['live', 'backfilling', 'stale', 'halted'])

interface WatchedFeed {
  readonly tag: string
  readonly symbol: string
  readonly listeners: Set<() => void>
  readonly behind: BarsBehind
  view: FeedView | undefined
  text: string
}

/** Every trade of a symbol up to which one is in the bars; undefined where there are none. */
export type ThroughTradeIdOf = (symbol: string) => number | undefined

/**
 * How the feeds of the symbols on pages are: looked at once a second with one question for all, told when one changed. A feed that lives says nothing
 * of the bars, so one whose bars do not follow is told as `behind`.
 */
export class FeedWatch {
  readonly #redis: RedisCommands
  readonly #log: Log
  readonly #throughTradeIdOf: ThroughTradeIdOf
  readonly #feeds = new Map<string, WatchedFeed>()
  #lookedTime = performance.now()
  #isFailing = false
  #isAsked = false
  #looking: Promise<void> | undefined

  constructor(redis: RedisCommands, log: Log, throughTradeIdOf: ThroughTradeIdOf) {
    this.#redis = redis
    this.#log = log
    this.#throughTradeIdOf = throughTradeIdOf
  }

  /** From now on `onChange` is called when one of the symbols' feeds changed. Gives what ends that. */
  follow(symbols: readonly { symbol: string; tag: string }[], onChange: () => void): () => void {
    const feeds = symbols.map(({ symbol, tag }) => {
      const feed = this.#feeds.get(symbol) ?? {
        tag,
        symbol,
        listeners: new Set(),
        behind: new BarsBehind(),
        view: undefined,
        text: '',
      }
      this.#feeds.set(symbol, feed)
      feed.listeners.add(onChange)
      return feed
    })
    if (feeds.some(feed => feed.view === undefined)) this.#look()
    return () => {
      for (const feed of feeds) {
        feed.listeners.delete(onChange)
        if (feed.listeners.size === 0) this.#feeds.delete(feed.symbol)
      }
    }
  }

  /** The lines of an event that tells the symbols' feeds; undefined as long as one of them was not looked at. */
  eventText(symbols: readonly string[]): string | undefined {
    const texts = symbols.map(symbol => this.#feeds.get(symbol)?.text ?? '')
    return texts.includes('') ? undefined : `event: feed\ndata: [${texts.join()}]\n`
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look()
      await delay(LOOK_MS, signal)
    }
  }

  #look(): Promise<void> {
    // One that is under way may not have asked for all.
    this.#isAsked = true
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false
      await this.#lookOnce()
    }
  }

  async #lookOnce(): Promise<void> {
    const feeds = [...this.#feeds.values()]
    if (feeds.length === 0) {
      this.#lookedTime = performance.now()
      return
    }
    try {
      const states = await readFeedStatus(this.#redis, feeds)
      this.#lookedTime = performance.now()
      this.#isFailing = false
      this.#take(
        feeds,
        feeds.map((feed, index) => this.#viewOf(feed, states[index]!)),
      )
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ reason: (error as Error).message }, 'feed states cannot be read')
      this.#isFailing = true
      if (performance.now() - this.#lookedTime < SILENCE_MAX_MS) return
      this.#take(
        feeds,
        feeds.map(
          ({ symbol, view }): FeedView => ({ ...view, symbol, state: view === undefined ? 'unknown' : 'stale' }),
        ),
      )
    }
  }

  #viewOf({ symbol, behind }: WatchedFeed, status: FeedStatus): FeedView {
    const view = feedViewOf(status)
    const isBehind = behind.look(status.lastTradeId, this.#throughTradeIdOf(symbol))
    return view.state === 'live' && isBehind ? { ...view, state: 'behind' } : view
  }

  #take(feeds: readonly WatchedFeed[], views: readonly FeedView[]): void {
    const changed = new Set<() => void>()
    for (const [index, feed] of feeds.entries()) {
      const text = JSON.stringify(views[index])
      if (text === feed.text) continue
      feed.view = views[index]
      feed.text = text
      for (const listener of feed.listeners) changed.add(listener)
    }
    for (const listener of changed) listener()
  }
}

export function feedViewOf({ symbol, state, lastTradeTime }: FeedStatus): FeedView {
  return {
    symbol,
    state: state !== undefined && STATES.has(state) ? (state as FeedState) : 'unknown',
    ...(lastTradeTime > 0 && { lastTradeTime }),
  }
}
