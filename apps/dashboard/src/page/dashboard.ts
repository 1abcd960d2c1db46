import { findInterval } from '@chart/market'
import {
  type BarEvent,
  type FeedEvent,
  type HistoryEvent,
  type SeriesName,
  type SymbolsAnswer,
  type SymbolView,
  textOfSeries,
  type WantedSeries,
} from '../wire.ts'
import { ChartPanel, type PanelHost } from './chart-panel.ts'
import { type ChartState, STATE_WORDS } from './feed-sign.ts'
import { Frames } from './frames.ts'
import { HeldSeries } from './held-series.ts'
import { commandOf } from './key-bindings.ts'
import { type Choice, columnsOf, nextChart, withCount } from './layout.ts'
import { CHARTS_MAX, pageAddressOf, searchOf } from './page-address.ts'
import { type Commanded, runCommand } from './page-commands.ts'
import { PageFrame } from './page-frame.ts'
import { readPalette } from './palette.ts'
import { SeriesStream, type StreamReader } from './series-stream.ts'
import { ServedView } from './served-view.ts'
import { type SymbolsReader, SymbolsWatch } from './symbols-watch.ts'
import { PageTheme } from './theme.ts'

const DEFAULT_INTERVAL = '1m'
/** Ages of trades and the title are looked at this often, also while the page is in the background and draws nothing. */
const TICK_MS = 1_000

/** The page: its charts, the one stream that feeds them, what is pressed, and the address that says what is shown. */
export class Dashboard implements PanelHost, StreamReader, SymbolsReader, Commanded {
  readonly frames = new Frames()
  readonly #page: PageFrame
  readonly #theme: PageTheme
  readonly #stream: SeriesStream
  readonly #served = new ServedView()
  readonly #symbols = new SymbolsWatch(this)
  readonly #series = new Map<string, HeldSeries>()
  #panels: ChartPanel[] = []
  #active = 0
  #isConnected = true
  #clockAheadMs = 0
  #palette

  constructor(root: HTMLElement) {
    const address = pageAddressOf(location.search)
    this.#theme = new PageTheme(address.theme, () => this.#onTheme())
    this.#palette = readPalette()
    this.#stream = new SeriesStream(this, () => this.#wanted())
    this.#page = new PageFrame(root, {
      onLayout: count => this.setCount(count),
      onCommand: command => runCommand(command, this, CHARTS_MAX),
      onResize: () => this.#arrange(),
    })
    this.#page.showTheme(this.#theme.chosen)
    for (const chart of address.charts) this.#addPanel(chart)
    document.addEventListener('keydown', event => this.#onKey(event))
    window.addEventListener('online', () => this.#stream.reopen())
    setInterval(() => this.#tick(), TICK_MS)
    this.#symbols.ask()
  }

  // For panels

  get isConnected(): boolean {
    return this.#isConnected
  }

  now(): number {
    return Date.now() + this.#clockAheadMs
  }

  symbolView(symbol: string): SymbolView | undefined {
    return this.#served.view(symbol)
  }

  onActive(panel: ChartPanel): void {
    this.#activate(this.#panels.indexOf(panel))
  }

  onInterval(panel: ChartPanel, interval: string): void {
    this.#show(panel, { symbol: panel.name.symbol, interval })
  }

  onSearch(panel: ChartPanel): void {
    this.#page.search.open(this.#served.views, panel.name.symbol, symbol => {
      this.#show(panel, { symbol, interval: panel.name.interval })
      panel.root.focus()
    })
  }

  onSymbolStep(panel: ChartPanel, by: 1 | -1): void {
    const { symbols } = this.#served
    if (symbols.length === 0) return
    const place = symbols.indexOf(panel.name.symbol)
    const symbol = symbols[(place + by + symbols.length) % symbols.length]!
    this.#show(panel, { symbol, interval: panel.name.interval })
  }

  onRemove(panel: ChartPanel): void {
    if (this.#panels.length === 1) return
    this.#panels = this.#panels.filter(one => one !== panel)
    panel.close()
    this.#activate(Math.min(this.#active, this.#panels.length - 1))
    this.#onCharts()
  }

  onPoint(panel: ChartPanel, time: number | undefined): void {
    for (const one of this.#panels) if (one !== panel) one.pointAt(time)
  }

  onStateChange(panel: ChartPanel, state: ChartState): void {
    this.#page.say(`${textOfSeries(panel.name)}: ${STATE_WORDS[state].word}`)
  }

  // For the stream

  onHistory(event: HistoryEvent): void {
    this.#series.get(textOfSeries(event))?.takeHistory(event)
  }

  onBar(bar: BarEvent): void {
    const series = this.#series.get(textOfSeries(bar))
    if (series === undefined) return
    const { newest } = series
    if (newest !== undefined && bar.lastTradeId > newest.lastTradeId) this.#served.heardTrade(bar.symbol, this.now())
    series.takeBar(bar)
  }

  onFeed(feeds: FeedEvent): void {
    for (const feed of feeds) this.#served.takeFeed(feed)
    this.#drawAll()
  }

  onOpen(): void {
    for (const series of this.#series.values()) series.awaitHistory()
    this.#setConnected(true)
  }

  onAway(): void {
    this.#setConnected(false)
  }

  onBack(): void {
    // Another server may serve other symbols.
    this.#symbols.ask()
    this.#setConnected(true)
  }

  // For what is served

  onSymbols(answer: SymbolsAnswer, clockAheadMs: number): void {
    this.#clockAheadMs = clockAheadMs
    // Of a server that is away its stream says when it is back, if there is one.
    if (!this.#stream.isAway) this.#setConnected(true)
    this.#served.take(answer)
    if (this.count === 0 && this.#served.symbols.length > 0) this.#addPanel(nextChart([], this.#choice()))
    for (const panel of this.#panels) panel.setIntervals(answer.intervals)
    this.#drawAll()
    this.#onCharts()
    for (const series of this.#series.values()) series.fillGap()
  }

  /** Without an answer the server counts as away, unless its stream goes on. */
  onNoSymbols(): boolean {
    if (this.#stream.isHeard) return false
    this.#setConnected(false)
    return true
  }

  // For commands

  get count(): number {
    return this.#panels.length
  }

  get chart(): ChartPanel | undefined {
    return this.#panels[this.#active]
  }

  setCount(count: number): void {
    const charts = this.#panels.map(panel => panel.name)
    const { kept, added, active } = withCount(charts, this.#active, count, this.#choice())
    const keptPanels = kept.map(index => this.#panels[index]!)
    for (const panel of this.#panels) if (!keptPanels.includes(panel)) panel.close()
    this.#panels = keptPanels
    for (const chart of added) this.#addPanel(chart)
    this.#activate(active)
    this.#onCharts()
  }

  goToChart(by: 1 | -1): void {
    this.#activate((this.#active + by + this.count) % this.count)
    this.chart?.root.focus()
  }

  nextTheme(): void {
    this.#theme.next()
  }

  openHelp(): void {
    this.#page.openHelp()
  }

  // Charts and their series

  #choice(): Choice {
    const { symbols, intervals } = this.#served
    return { symbols, intervals, interval: this.chart?.name.interval ?? DEFAULT_INTERVAL }
  }

  #addPanel({ symbol, interval }: SeriesName): void {
    const known = findInterval(interval) === undefined ? DEFAULT_INTERVAL : interval
    const series = this.#hold({ symbol, interval: known })
    const panel = new ChartPanel(this, this.#page.grid, series, this.#palette)
    panel.setIntervals(this.#served.intervals)
    this.#panels.push(panel)
  }

  #show(panel: ChartPanel, name: SeriesName): void {
    if (textOfSeries(panel.name) === textOfSeries(name)) return
    panel.show(this.#hold(name))
    this.#onCharts()
  }

  #hold(name: SeriesName): HeldSeries {
    const text = textOfSeries(name)
    const held = this.#series.get(text) ?? new HeldSeries(name)
    this.#series.set(text, held)
    return held
  }

  /** For the address of the stream: what charts show, as far as it is served. One wrong name would have all refused. */
  #wanted(): readonly WantedSeries[] {
    const { symbols, intervals } = this.#served
    return [...this.#series.values()]
      .filter(({ name }) => symbols.includes(name.symbol) && intervals.includes(name.interval))
      .map(series => series.wanted())
  }

  /** After charts came, went or show something else: stream, shape and address follow. */
  #onCharts(): void {
    for (const [text, series] of this.#series) {
      if (series.readers.size > 0) continue
      series.close()
      this.#series.delete(text)
    }
    this.#stream.follow()
    this.#arrange()
    this.#tellAddress()
    this.#activate(this.#active)
    this.#page.showSimulated(this.#panels.some(({ name }) => this.#served.view(name.symbol)?.simulated === true))
  }

  #activate(index: number): void {
    this.#active = Math.max(0, index)
    for (const [place, panel] of this.#panels.entries()) panel.setActive(place === this.#active)
    this.#showTitle()
  }

  #arrange(): void {
    const { clientWidth, clientHeight } = this.#page.grid
    this.#page.arrange(this.count, columnsOf(this.count, clientWidth, clientHeight))
  }

  #drawAll(): void {
    for (const panel of this.#panels) this.frames.request(panel)
  }

  #tellAddress(): void {
    const charts = this.#panels.map(panel => panel.name)
    const search = searchOf({ charts, theme: this.#theme.chosen })
    if (search !== location.search) history.replaceState(null, '', search === '' ? location.pathname : search)
  }

  #showTitle(): void {
    if (this.chart === undefined) return
    const { name, priceText } = this.chart
    const isSimulated = this.#served.view(name.symbol)?.simulated === true
    document.title = [isSimulated ? 'SIMULATED' : '', name.symbol, priceText ?? '']
      .filter(part => part !== '')
      .join(' ')
  }

  #onTheme(): void {
    this.#palette = readPalette()
    for (const panel of this.#panels) panel.setPalette(this.#palette)
    this.#page.showTheme(this.#theme.chosen)
    this.#tellAddress()
  }

  // The server

  #setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected
    this.#page.showConnection(isConnected)
    this.#drawAll()
  }

  #tick(): void {
    this.#showTitle()
    this.#page.showClock(this.now())
    for (const panel of this.#panels) panel.drawAge()
    this.#stream.look()
    this.#symbols.look()
  }

  #onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement
    if (document.querySelector('dialog[open]') !== null || target.matches('input, select, textarea')) return
    const command = commandOf(event)
    if (command === undefined) return
    event.preventDefault()
    runCommand(command, this, CHARTS_MAX)
  }
}
