import type { FeedView, SymbolsAnswer, SymbolView } from '../wire.ts'

/** What is served and how each feed is, out of what the server was asked and of what its stream has told since. */
export class ServedView {
  readonly #feeds = new Map<string, FeedView>()
  #answer: SymbolsAnswer = { symbols: [], intervals: [] }
  #symbols: readonly string[] = []

  /** Names in the order in which they are served. */
  get symbols(): readonly string[] {
    return this.#symbols
  }

  get intervals(): readonly string[] {
    return this.#answer.intervals
  }

  get views(): readonly SymbolView[] {
    return this.#answer.symbols.map(view => ({ ...view, feed: this.#feeds.get(view.symbol) ?? view.feed }))
  }

  view(symbol: string): SymbolView | undefined {
    const view = this.#answer.symbols.find(one => one.symbol === symbol)
    return view === undefined ? undefined : { ...view, feed: this.#feeds.get(symbol) ?? view.feed }
  }

  take(answer: SymbolsAnswer): void {
    this.#answer = answer
    this.#symbols = answer.symbols.map(({ symbol }) => symbol)
  }

  takeFeed(feed: FeedView): void {
    this.#feeds.set(feed.symbol, feed)
  }

  /** A trade of `symbol` was seen in a bar: the feed's own word comes only once a second. */
  heardTrade(symbol: string, now: number): void {
    const feed = this.#feeds.get(symbol)
    if (feed === undefined) return
    this.#feeds.set(symbol, { ...feed, lastTradeTime: Math.max(feed.lastTradeTime ?? 0, now) })
  }
}
