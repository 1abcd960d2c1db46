import type { BarText } from '@chart/market'
import { CHROMIUM_ARGS } from '@chart/testkit'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** What a chart says of itself on its root element. */
export interface ChartData {
  readonly symbol: string
  readonly interval: string
  readonly openTime: number
  readonly close: string
  readonly lastTradeId: number
  readonly tradeCount: number
  readonly bars: number
  readonly missing: number
  readonly state: string
  readonly history: string
  readonly firstOpenTime: number
  /** openTime of the first and last bar in sight. */
  readonly viewFrom: number
  readonly viewTo: number
  readonly atNewest: boolean
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  /** What a browser complains of: errors and warnings of its console, errors of the script, violations of the security policy. */
  readonly faults: readonly string[]
  /** Says that a server goes away, which a browser writes into its console. */
  expectCuts(): void
  /** What the chart at `place` has drawn. */
  chart(place?: number): Promise<ChartData>
  /** All bars of the chart at `place`, read from its drawing. */
  bars(place?: number): Promise<readonly BarText[]>
  /** What the legend of the chart at `place` says, by name. */
  legend(place?: number): Promise<Readonly<Record<string, string>>>
}

const CUT = /^Failed to load resource: net::ERR_/

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...CHROMIUM_ARGS] })
}

export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', ...options })
  const page = await context.newPage()
  const faults: string[] = []
  let areCutsExpected = false
  page.on('console', message => {
    if (areCutsExpected && CUT.test(message.text())) return
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', error => faults.push(`error: ${error.message}`))
  await page.addInitScript(TELL_VIOLATIONS)
  await page.goto(address)
  return {
    page,
    faults,
    expectCuts: () => {
      areCutsExpected = true
    },
    chart: (place = 0) => readChart(page, place),
    bars: (place = 0) => page.evaluate<BarText[]>(`${panelAt(place)}.drawnBars()`),
    legend: (place = 0) => readLegend(page, place),
    [Symbol.asyncDispose]: () => context.close(),
  }
}

async function readChart(page: Page, place: number): Promise<ChartData> {
  const data = await page.evaluate<Record<string, string | undefined>>(`({ ...${panelAt(place)}.dataset })`)
  const number = (name: string) => (data[name] === undefined ? Number.NaN : Number(data[name]))
  return {
    symbol: data.symbol ?? '',
    interval: data.interval ?? '',
    openTime: number('openTime'),
    close: data.close ?? '',
    lastTradeId: number('lastTradeId'),
    tradeCount: number('tradeCount'),
    bars: number('bars'),
    missing: number('missing'),
    state: data.state ?? '',
    history: data.history ?? '',
    firstOpenTime: number('firstOpenTime'),
    viewFrom: number('viewFrom'),
    viewTo: number('viewTo'),
    atNewest: data.atNewest === 'true',
  }
}

function readLegend(page: Page, place: number): Promise<Record<string, string>> {
  return page.evaluate(`Object.fromEntries([...${panelAt(place)}.querySelectorAll('.legend-item')].map(item =>
    [item.className.replace(/.*legend-/, ''), item.querySelector('dd').textContent]))`)
}

/** What runs in the page is text: the types of a browser are not those of these tests. */
const panelAt = (place: number) => `document.querySelectorAll('.panel')[${place}]`

const TELL_VIOLATIONS = `document.addEventListener('securitypolicyviolation', event => {
  console.error('policy violated:', event.violatedDirective, event.blockedURI, event.sourceFile)
})`
