import { findInterval } from '@chart/market'
import type {
  BarEvent,
  FeedEvent,
  FeedView,
  HistoryEvent,
  SeriesName,
  SymbolsAnswer,
  SymbolView,
  WantedSeries,
} from '../wire.ts'
import { textOfSeries } from '../wire.ts'
import { backoffMs } from './backoff.ts'
import { ChartPanel, type PanelHost } from './chart-panel.ts'
import { type ChartState, STATE_WORDS } from './feed-sign.ts'
import { Frames } from './frames.ts'
import { HeldSeries } from './held-series.ts'
import { type Command, commandOf } from './key-bindings.ts'
import { columnsOf, LAYOUTS, nextChart, withCount } from './layout.ts'
import { CHARTS_MAX, pageAddressOf, searchOf } from './page-address.ts'
import { PageFrame } from './page-frame.ts'
import { readPalette } from './palette.ts'
import { SeriesStream } from './series-stream.ts'
import { askSymbols } from './server.ts'
import { PageTheme } from './theme.ts'

const DEFAULT_INTERVAL = '1m'
/** Ages of trades and the title are looked at this often; also while the page is in the background and draws nothing. */
const TICK_MS = 1_000
/** What is served is asked for this often: symbols come and go. */
const SYMBOLS_EVERY_MS = 60_000
/** After this much silence on the stream the server is asked whether there was news: a connection can be dead without anybody saying so. */
const SILENCE_MAX_MS = 15_000
/** The stream may be this much behind what the server says when asked. */
const BEHIND_MAX_MS = 3_000

/** The page: its charts, the one stream that feeds them, what is typed and pressed, and the address that says it all. */
export class Dashboard implements PanelHost {
  readonly frames = new Frames()
  readonly #page: PageFrame
  readonly #theme: PageTheme
  readonly #stream: SeriesStream
  readonly #series = new Map<string, HeldSeries>()
  readonly #feeds = new Map<string, FeedView>()
  #panels: ChartPanel[] = []
  #active = 0
  #served: SymbolsAnswer = { symbols: [], intervals: [] }
  #hasServed = false
  #isConnected = true
  #clockAheadMs = 0
  #askedTime = Number.NEGATIVE_INFINITY
  #symbolTries = 0
  #palette = readPalette()

  constructor(root: HTMLElement) {
    const address = pageAddressOf(location.search)
    this.#theme = new PageTheme(address.theme, () => this.#onTheme())
    this.#palette = readPalette()
    this.#stream = new SeriesStream(this, () => this.#wanted())
    this.#page = new PageFrame(root, {
      onLayout: count => this.#setCount(count),
      onCommand: command => this.#do(command),
      onResize: () => this.#arrange(),
    })
    this.#page.showTheme(this.#theme.chosen)
    for (const chart of address.charts) this.#addPanel(chart)
    document.addEventListener('keydown', event => this.#onKey(event))
    window.addEventListener('online', () => this.#stream.reopen())
    setInterval(() => this.#tick(), TICK_MS)
    this.#askSymbols()
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  now(): number {
    return Date.now() + this.#clockAheadMs
  }

  symbolView(symbol: string): SymbolView | undefined {
    const view = this.#served.symbols.find(one => one.symbol === symbol)
    if (view === undefined) return undefined
    return { ...view, feed: this.#feeds.get(symbol) ?? view.feed }
  }

  onActive(panel: ChartPanel): void {
    this.#activate(this.#panels.indexOf(panel))
  }

  onInterval(panel: ChartPanel, interval: string): void {
    this.#show(panel, { symbol: panel.name.symbol, interval })
  }

  onSearch(panel: ChartPanel): void {
    this.#page.search.open(this.#views(), panel.name.symbol, symbol => {
      this.#show(panel, { symbol, interval: panel.name.interval })
      panel.root.focus()
    })
  }

  onRemove(panel: ChartPanel): void {
    if (this.#panels.length === 1) return
    this.#panels = this.#panels.filter(one => one !== panel)
    panel.close()
    this.#activate(Math.min(this.#active, this.#panels.length - 1))
    this.#changed()
  }

  onPoint(panel: ChartPanel, time: number | undefined): void {
    for (const one of this.#panels) if (one !== panel) one.pointAt(time)
  }

  onStateChange(panel: ChartPanel, state: ChartState): void {
    this.#page.say(`${textOfSeries(panel.name)}: ${STATE_WORDS[state].word}`)
  }

  onHistory(event: HistoryEvent): void {
    this.#series.get(textOfSeries(event))?.takeHistory(event)
  }

  onBar(bar: BarEvent): void {
    const series = this.#series.get(textOfSeries(bar))
    if (series === undefined) return
    // The feed's own word comes once a second; a trade that is drawn is not older than now.
    if (bar.state === 'live' && bar.lastTradeId > (series.newest?.lastTradeId ?? Number.POSITIVE_INFINITY))
      this.#heardTrade(bar.symbol)
    series.takeBar(bar)
  }

  onFeed(feeds: FeedEvent): void {
    for (const feed of feeds) this.#feeds.set(feed.symbol, feed)
    for (const panel of this.#panels) this.frames.request(panel)
  }

  onConnection(isOpen: boolean): void {
    if (isOpen) {
      for (const series of this.#series.values()) series.awaitHistory()
      // Another server may serve other symbols.
      if (!this.#isConnected) this.#askSymbols()
    }
    this.#isConnected = isOpen
    this.#page.showConnection(isOpen)
    for (const panel of this.#panels) this.frames.request(panel)
  }

  #views(): readonly SymbolView[] {
    return this.#served.symbols.flatMap(({ symbol }) => this.symbolView(symbol) ?? [])
  }

  #heardTrade(symbol: string): void {
    const feed = this.#feeds.get(symbol)
    if (feed !== undefined)
      this.#feeds.set(symbol, { ...feed, lastTradeTime: Math.max(feed.lastTradeTime ?? 0, this.now()) })
  }

  // The series that charts show

  #wanted(): readonly WantedSeries[] {
    const isServed = ({ symbol, interval }: SeriesName) =>
      this.symbolView(symbol) !== undefined && this.#served.intervals.includes(interval)
    return [...this.#series.values()].filter(({ name }) => isServed(name)).map(series => series.wanted())
  }

  #hold(name: SeriesName): HeldSeries {
    const text = textOfSeries(name)
    const held = this.#series.get(text) ?? new HeldSeries(name)
    this.#series.set(text, held)
    return held
  }

  #letGo(): void {
    for (const [text, series] of this.#series) {
      if (series.readers.size > 0) continue
      series.close()
      this.#series.delete(text)
    }
  }

  // Charts

  #addPanel(name: SeriesName): ChartPanel {
    const interval = findInterval(name.interval) === undefined ? DEFAULT_INTERVAL : name.interval
    const panel = new ChartPanel(this, this.#page.grid, this.#hold({ symbol: name.symbol, interval }), this.#palette)
    panel.setIntervals(this.#served.intervals)
    this.#panels.push(panel)
    return panel
  }

  #show(panel: ChartPanel, name: SeriesName): void {
    if (textOfSeries(panel.name) === textOfSeries(name)) return
    panel.show(this.#hold(name))
    this.#changed()
  }

  #setCount(count: number): void {
    const charts = this.#panels.map(panel => panel.name)
    const symbols = this.#served.symbols.map(({ symbol }) => symbol)
    const kept = withCount({ charts, active: this.#active }, count, symbols, this.#interval())
    const keptPanels = this.#panels.filter(panel => kept.charts.includes(panel.name))
    for (const panel of this.#panels) if (!keptPanels.includes(panel)) panel.close()
    this.#panels = keptPanels
    for (const chart of kept.charts.slice(keptPanels.length)) this.#addPanel(chart)
    this.#activate(kept.active)
    this.#changed()
  }

  #interval(): string {
    return this.#panels[this.#active]?.name.interval ?? DEFAULT_INTERVAL
  }

  #activate(index: number): void {
    this.#active = Math.max(0, index)
    for (const [place, panel] of this.#panels.entries()) panel.setActive(place === this.#active)
    this.#showTitle()
  }

  /** After the charts have changed: stream, shape and address follow. */
  #changed(): void {
    this.#letGo()
    this.#arrange()
    this.#stream.follow()
    this.#tellAddress()
    this.#showTitle()
    this.#page.showSimulated(this.#panels.some(panel => this.symbolView(panel.name.symbol)?.simulated === true))
    this.#activate(this.#active)
  }

  #arrange(): void {
    const count = this.#panels.length
    const { clientWidth, clientHeight } = this.#page.grid
    this.#page.arrange(count, columnsOf(count, clientWidth, clientHeight))
  }

  #tellAddress(): void {
    const charts = this.#panels.map(panel => panel.name)
    const search = searchOf({ charts, theme: this.#theme.chosen })
    if (search !== location.search) history.replaceState(null, '', search === '' ? location.pathname : search)
  }

  #onTheme(): void {
    this.#palette = readPalette()
    for (const panel of this.#panels) panel.setPalette(this.#palette)
    this.#page.showTheme(this.#theme.chosen)
    this.#tellAddress()
  }

  #showTitle(): void {
    const panel = this.#panels[this.#active]
    if (panel === undefined) return
    const { symbol } = panel.name
    const view = this.symbolView(symbol)
    const parts = [view?.simulated ? 'SIMULATED' : '', symbol, panel.priceText ?? '']
    document.title = parts.filter(part => part !== '').join(' ')
  }

  // Time

  #tick(): void {
    this.#showTitle()
    this.#page.showClock(this.now())
    for (const panel of this.#panels) panel.drawAge()
    const silent = this.#stream.silentMs(performance.now())
    const askedMs = performance.now() - this.#askedTime
    if (askedMs > SYMBOLS_EVERY_MS || (silent > SILENCE_MAX_MS && askedMs > SILENCE_MAX_MS)) this.#askSymbols()
  }

  /** Asks what is served, again and again until somebody answers. */
  async #askSymbols(): Promise<void> {
    this.#askedTime = performance.now()
    try {
      const { answer, clockAheadMs } = await askSymbols()
      this.#symbolTries = 0
      this.#clockAheadMs = clockAheadMs
      this.#takeServed(answer)
    } catch {
      if (this.#hasServed && this.#stream.silentMs(performance.now()) < SILENCE_MAX_MS) return
      this.onConnection(false)
      setTimeout(() => this.#askSymbols(), backoffMs(this.#symbolTries++))
    }
  }

  #takeServed(served: SymbolsAnswer): void {
    const isFirst = !this.#hasServed
    this.#hasServed = true
    this.#served = served
    if (this.#isBehind(served)) this.#stream.reopen()
    if (isFirst && !this.#isConnected) this.onConnection(true)
    if (this.#panels.length === 0 && served.symbols.length > 0) {
      this.#addPanel(
        nextChart(
          [],
          served.symbols.map(({ symbol }) => symbol),
          DEFAULT_INTERVAL,
        ),
      )
    }
    for (const panel of this.#panels) {
      panel.setIntervals(served.intervals)
      this.frames.request(panel)
    }
    this.#changed()
  }

  /** Whether trades were heard of that the stream should have told long ago. */
  #isBehind(served: SymbolsAnswer): boolean {
    if (this.#stream.silentMs(performance.now()) < SILENCE_MAX_MS) return false
    return served.symbols.some(({ symbol, feed }) => {
      const known = this.#feeds.get(symbol)
      return known !== undefined && (feed.lastTradeTime ?? 0) > (known.lastTradeTime ?? 0) + BEHIND_MAX_MS
    })
  }

  // Keys

  #onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement
    if (document.querySelector('dialog[open]') !== null || target.matches('input, select, textarea')) return
    const command = commandOf(event)
    if (command === undefined) return
    event.preventDefault()
    this.#do(command)
  }

  #do(command: Command): void {
    const panel = this.#panels[this.#active]
    switch (command.does) {
      case 'help':
        this.#page.openHelp()
        return
      case 'theme':
        this.#theme.next()
        return
      case 'layout':
        this.#setCount(LAYOUTS.find(count => count > this.#panels.length) ?? LAYOUTS[0]!)
        return
      case 'add':
        if (this.#panels.length < CHARTS_MAX) this.#setCount(this.#panels.length + 1)
        return
    }
    if (panel === undefined) return
    switch (command.does) {
      case 'interval': {
        const interval = this.#served.intervals[command.index]
        if (interval !== undefined) this.onInterval(panel, interval)
        return
      }
      case 'chart':
        this.#go(command.by)
        return
      case 'symbol':
        this.#goSymbol(panel, command.by)
        return
      case 'search':
        this.onSearch(panel)
        return
      case 'remove':
        this.onRemove(panel)
        return
      case 'zoom':
        panel.zoom(command.by)
        return
      case 'scroll':
        panel.scroll(command.by)
        return
      case 'oldest':
        panel.toOldest()
        return
      case 'newest':
        panel.toNewest()
        return
    }
  }

  #go(by: 1 | -1): void {
    const count = this.#panels.length
    this.#activate((this.#active + by + count) % count)
    this.#panels[this.#active]?.root.focus()
  }

  #goSymbol(panel: ChartPanel, by: 1 | -1): void {
    const symbols = this.#served.symbols.map(({ symbol }) => symbol)
    if (symbols.length === 0) return
    const place = symbols.indexOf(panel.name.symbol)
    const symbol = symbols[(place + by + symbols.length) % symbols.length]!
    this.#show(panel, { symbol, interval: panel.name.interval })
  }
}
