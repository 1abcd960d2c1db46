import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BarText, intervalOf } from '@chart/market'
import { findChromium, killApps, NEEDS_CHROMIUM, startTcpLink, until } from '@chart/testkit'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { launchChromium, type OpenedPage, openPage } from './browser-page.ts'
import { BrowserService } from './browser-service.ts'
import { startSilentLink } from './silent-link.ts'

/** The page in a real browser, on the whole service: real Redis, PostgreSQL, edge and dashboard, over simulated trades. */

const SCREENSHOTS_DIR = process.env.SCREENSHOTS_DIR ?? fileURLToPath(new URL('../test-output', import.meta.url))
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

const chromium = findChromium()
if (chromium === undefined) console.log(NEEDS_CHROMIUM)

describe.skipIf(chromium === undefined)('the page', () => {
  let service: BrowserService
  let browser: Browser
  let opened: OpenedPage[] = []

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS_DIR, { recursive: true })
    service = await BrowserService.start()
    browser = await launchChromium(chromium!)
  })
  afterEach(async () => {
    const faults = opened.flatMap(page => page.faults)
    for (const page of opened) await page[Symbol.asyncDispose]()
    opened = []
    expect(faults, 'what the browser complains of').toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.[Symbol.asyncDispose]()
    await killApps()
  })

  async function open(
    query: string,
    { port = service.port, ...options }: BrowserContextOptions & { port?: number } = {},
  ) {
    const page = await openPage(browser, `http://127.0.0.1:${port}/${query}`, options)
    opened.push(page)
    await hasHistory(page)
    return page
  }

  const hasHistory = ({ chart }: OpenedPage, place = 0) =>
    until(`chart ${place} has its history`, async () => {
      const { history, bars } = await chart(place)
      return history === 'here' && bars > 1
    })

  const picture = ({ page }: OpenedPage, name: string) =>
    page.screenshot({ path: join(SCREENSHOTS_DIR, `${name}.png`) })

  test('shows the live bar of Redis, on every trade', async () => {
    const { chart } = await open('?charts=BTCUSDT:1m')
    const equal = new Set<number>()
    const different: unknown[] = []

    await until('five versions on the screen were those of Redis', async () => {
      const [drawn, live] = await Promise.all([chart(), service.liveBar('BTCUSDT', '1m')])
      if (live === undefined || drawn.lastTradeId !== live.lastTradeId) return false
      const { openTime, close, tradeCount } = live
      if (drawn.openTime === openTime && drawn.close === close && drawn.tradeCount === tradeCount)
        equal.add(live.lastTradeId)
      else different.push({ drawn, live })
      return equal.size >= 5
    })

    expect(different).toEqual([])
  })

  test('shows the closed bars that the service has, each once', async () => {
    const { bars } = await open('?charts=ETHUSDT:1m')

    await until('both have the same closed bars', async () => {
      const drawn = (await bars()).filter(({ state }) => state === 'closed')
      const stored = await storedBars('ETHUSDT', '1m', drawn[0]!.openTime, drawn.at(-1)!.openTime + 1)
      expect(drawn.length).toBeGreaterThanOrEqual(500)
      // That a bar was proven meanwhile is not streamed.
      expect(drawn.map(withoutProof)).toEqual(stored.map(withoutProof))
      return true
    })
  })

  async function storedBars(symbol: string, interval: string, startTime: number, endTime: number): Promise<BarText[]> {
    const stored: BarText[] = []
    for await (const bar of service.client.listBars({ symbol, interval, startTime, endTime })) stored.push(bar)
    return stored.filter(({ state }) => state === 'closed')
  }

  test('loads older bars when scrolled back, up to the first one, and what is in sight stays where it was', async () => {
    const { page, chart } = await open('?charts=BTCUSDT:1m')
    const asked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    await page.route('**/api/bars*', async route => {
      asked.resolve()
      await released.promise
      await route.continue()
    })

    await page.keyboard.press('Home')
    await asked.promise
    await page.getByText('Loading older bars').waitFor()
    const before = await chart()
    expect(before.viewFrom).toBe(before.firstOpenTime)
    released.resolve()
    await until('older bars are there', async () => (await chart()).firstOpenTime < before.firstOpenTime)

    const after = await chart()
    expect(after.viewTo).toBe(before.viewTo)
    expect(after).toMatchObject({ atNewest: false, missing: 0 })
    await page.keyboard.press('Home')
    await page.getByText('First bar').waitFor()
    await page.keyboard.press('End')
    await until('the newest bar is in sight', async () => (await chart()).atNewest)
  })

  test('stays where it was scrolled to while bars come', async () => {
    const { page, chart } = await open('?charts=BTCUSDT:1s')
    await page.keyboard.press('PageUp')
    await until('the newest bar is out of sight', async () => !(await chart()).atNewest)
    const before = await chart()

    await until('three bars have come', async () => (await chart()).openTime >= before.openTime + 3_000)

    expect((await chart()).viewFrom).toBe(before.viewFrom)
  })

  test('switches symbol and interval, and its address says so', async () => {
    const opened = await open('?charts=BTCUSDT:1m')
    const { page, chart, legend } = opened

    await page.getByRole('button', { name: 'Interval 5m' }).click()
    await until('it shows 5m', async () => (await chart()).interval === '5m')
    await page.getByRole('button', { name: 'Choose a symbol' }).click()
    await page.getByRole('combobox', { name: 'Find a symbol' }).fill('pepe')
    await page.keyboard.press('Enter')
    await until('it shows PEPEUSDT', async () => (await chart()).symbol === 'PEPEUSDT')
    await hasHistory(opened)

    expect(new URL(page.url()).search).toBe('?charts=PEPEUSDT:5m')
    expect((await legend()).close).toMatch(/^0\.0000\d{4}$/)
    await page.reload()
    await hasHistory(opened)
    expect(await chart()).toMatchObject({ symbol: 'PEPEUSDT', interval: '5m', missing: 0 })
  })

  test('is used by keys alone', async () => {
    const opened = await open('?charts=BTCUSDT:1m')
    const { page, chart } = opened
    const panels = page.locator('.panel')

    await page.keyboard.press('a')
    await hasHistory(opened, 1)
    expect((await chart(1)).symbol).toBe('ETHUSDT')
    await page.keyboard.press('ArrowRight')
    expect(await panels.nth(1).getAttribute('class')).toContain('is-active')
    await page.keyboard.press('5')
    await page.keyboard.press('ArrowDown')
    await until('the second chart has followed', async () => {
      const { symbol, interval } = await chart(1)
      return symbol === 'PEPEUSDT' && interval === '1h'
    })
    expect(await chart(0)).toMatchObject({ symbol: 'BTCUSDT', interval: '1m' })

    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys and signs' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.getByRole('dialog', { name: 'Choose a symbol' }).waitFor()
    await page.keyboard.press('Escape')

    await page.keyboard.press('t')
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light')
    await page.keyboard.press('x')
    expect(await panels.count()).toBe(1)
    expect(new URL(page.url()).search).toBe('?charts=BTCUSDT:1m&theme=light')
  })

  test('points at the same moment in all charts', async () => {
    const opened = await open('?charts=BTCUSDT:1m,ETHUSDT:5m')
    await hasHistory(opened, 1)
    const canvas = (await opened.page.locator('.canvas').first().boundingBox())!

    await opened.page.mouse.move(canvas.x + canvas.width * 0.4, canvas.y + canvas.height * 0.4)
    await until('both legends show a bar of the past', async () => {
      const [first, second] = [timeOf(await opened.legend(0)), timeOf(await opened.legend(1))]
      const fiveMinutes = intervalOf('5m').intervalMs
      return first < (await opened.chart()).openTime && second === Math.floor(first / fiveMinutes) * fiveMinutes
    })

    await opened.page.mouse.move(5, 5)
    await until(
      'both show the newest bar again',
      async () => timeOf(await opened.legend(1)) === (await opened.chart(1)).openTime,
    )
  })

  const timeOf = (legend: Readonly<Record<string, string>>) => Date.parse(`${legend.time!.replace(' ', 'T')}Z`)

  test('goes on after its server was killed and started again, without a reload', async () => {
    const opened = await open('?charts=BTCUSDT:1s,ETHUSDT:1m')
    const { page, chart } = opened
    opened.expectCuts()
    await page.evaluate('window.isStillThere = true')

    await service.killDashboard()
    let isStarted = false
    onTestFailed(() => (isStarted ? undefined : service.startDashboard()))
    await page.locator('.panel .state[data-state=reconnecting]').first().waitFor()
    const away = await chart()
    await picture(opened, 'reconnecting')
    await until('bars have closed meanwhile', async () => {
      return (await service.liveBar('BTCUSDT', '1s'))!.openTime >= away.openTime + 4_000
    })
    await service.startDashboard()
    isStarted = true
    await page.locator('.panel .state[data-state=live]').first().waitFor()
    await until('it follows again', async () => (await chart()).openTime > away.openTime + 4_000)

    expect(await page.evaluate('window.isStillThere')).toBe(true)
    await isWhole(opened, 0)
    await isWhole(opened, 1)
  })

  test('loses nothing when its connection is cut in the middle', async () => {
    await using link = await startTcpLink(service.port)
    const opened = await open('?charts=BTCUSDT:1s,ETHUSDT:1m,PEPEUSDT:5m', { port: link.port })
    opened.expectCuts()

    for (const bytes of [1, 700, 5_000]) {
      const before = await opened.chart()
      link.cutAfter(bytes)
      await until('it follows again', async () => (await opened.chart()).openTime >= before.openTime + 2_000)
    }

    for (const place of [0, 1, 2]) await isWhole(opened, place)
  })

  test('says that it is cut off when its connection dies without a word, and goes on with another', async () => {
    await using link = await startSilentLink(service.port)
    const opened = await open('?charts=BTCUSDT:1s', { port: link.port })
    opened.expectCuts()
    const before = await opened.chart()

    link.silence()
    await opened.page.locator('.panel .state[data-state=reconnecting]').waitFor()
    await opened.page.locator('.panel .state[data-state=live]').waitFor()
    await until('it follows again', async () => (await opened.chart()).openTime >= before.openTime + 8_000)

    await isWhole(opened, 0)
  })

  /** No bar is missing, none is there twice, and each is as the service has it. */
  async function isWhole({ bars, chart }: OpenedPage, place: number): Promise<void> {
    const { symbol, interval } = await chart(place)
    await until(`${symbol} ${interval} is whole`, async () => {
      const drawn = (await bars(place)).filter(({ state }) => state === 'closed')
      const times = drawn.map(({ openTime }) => openTime)
      const { intervalMs } = intervalOf(interval)
      expect(times).toEqual(times.map((_, index) => times[0]! + index * intervalMs))
      const stored = await storedBars(symbol, interval, times[0]!, times.at(-1)! + 1)
      expect(drawn.map(withoutProof)).toEqual(stored.map(withoutProof))
      return true
    })
  }

  test('goes on without history while no edge answers, and says so', async () => {
    await service.killEdge()
    onTestFailed(() => service.startEdge())
    const opened = await openPage(browser, `http://127.0.0.1:${service.port}/?charts=BTCUSDT:1m`)
    await using _ = opened
    await opened.page.getByText('History unavailable').waitFor()
    const before = await opened.chart()
    await until('live bars go on', async () => (await opened.chart()).lastTradeId > before.lastTradeId)

    service.startEdge()

    await hasHistory(opened)
    await opened.page.getByText('History unavailable').waitFor({ state: 'hidden' })
    expect(opened.faults).toEqual([])
  })

  test('says when the exchange halts a symbol', async () => {
    const { page } = await open('?charts=PEPEUSDT:1m')
    service.exchange.halt({ symbol: 'PEPEUSDT' })
    onTestFailed(() => service.exchange.clear())
    await page.locator('.panel .state[data-state=halted]').waitFor()
    service.exchange.clear()
    await page.locator('.panel .state[data-state=live]').waitFor()
  })

  test('says on every chart, in its head and in its title that trades are invented', async () => {
    const { page } = await open('?charts=BTCUSDT:1m,ETHUSDT:1m')
    await page.getByRole('note').getByText('SIMULATED').waitFor()
    expect(await page.locator('.panel .badge.simulated:visible').allTextContents()).toEqual(['SIMULATED', 'SIMULATED'])
    await until('the title says it', async () => /^SIMULATED BTCUSDT \d+\.\d\d$/.test(await page.title()))
  })

  test('fits a phone: nothing beside the screen, controls as large as a thumb, the legend above the candles', async () => {
    const opened = await open('?charts=PEPEUSDT:1m,BTCUSDT:5m', PHONE)
    await hasHistory(opened, 1)
    const { page } = opened

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width)
    const boxOf = async (selector: string) => (await page.locator(selector).first().boundingBox())!
    const [legend, plot, interval] = [await boxOf('.legend'), await boxOf('.plot'), await boxOf('.interval')]
    expect(legend.y + legend.height).toBeLessThanOrEqual(plot.y)
    expect(legend.x + legend.width).toBeLessThanOrEqual(PHONE.viewport.width)
    expect(plot.height).toBeGreaterThan(200)
    expect(interval.height).toBeGreaterThanOrEqual(40)
    // The longest price and the longest state, and that it is all invented, can be read in full.
    await page.evaluate("document.querySelector('.state .word').textContent = 'reconnecting'")
    const hidden =
      "document.querySelector('.panel-head').scrollWidth - document.querySelector('.panel-head').clientWidth"
    expect(await page.evaluate(hidden)).toBe(0)
    await page.getByRole('button', { name: 'Interval 15m' }).first().tap()
    await until('it shows 15m', async () => (await opened.chart()).interval === '15m')
    await page.getByRole('button', { name: 'Interval 1m' }).first().tap()
    await hasHistory(opened)
    await picture(opened, 'phone')
  })

  test('has pictures: dark with four charts, light with one', async () => {
    const dark = await open('?charts=BTCUSDT:1m,ETHUSDT:5m,PEPEUSDT:1m,BTCUSDT:15m&theme=dark')
    for (const place of [1, 2, 3]) await hasHistory(dark, place)
    await picture(dark, 'overview-dark')
    const light = await open('?charts=ETHUSDT:1m&theme=light')
    const canvas = (await light.page.locator('.canvas').boundingBox())!
    await light.page.mouse.move(canvas.x + canvas.width * 0.6, canvas.y + canvas.height * 0.45)
    await until('the legend has followed', async () => timeOf(await light.legend()) < (await light.chart()).openTime)
    await picture(light, 'light')
  })

  test('marks gaps, bars that are not whole, corrected ones and those without trades', async () => {
    await service.stopAuditor()
    const minutesAgo = (minutes: number) => `date_trunc('minute', now() - interval '${minutes} minutes')`
    const minutes = (from: number, to: number) =>
      `symbol = 'ETHUSDT' AND interval = '1m' AND open_time BETWEEN ${minutesAgo(from)} AND ${minutesAgo(to)}`
    const change = (text: string) => service.postgres.query({ text })
    await change(`UPDATE bars SET state = 'closed', complete = true WHERE ${minutes(70, 3)}`)
    await change(`DELETE FROM bars WHERE ${minutes(60, 50)}`)
    await change(`UPDATE bars SET complete = false WHERE ${minutes(40, 38)}`)
    await change(`UPDATE bars SET revision = 1 WHERE ${minutes(30, 30)} OR ${minutes(26, 26)}`)
    await change(`UPDATE bars SET trade_count = 0, open = close, high = close, low = close, base_volume = 0, quote_volume = 0,
      taker_buy_base_volume = 0, taker_buy_quote_volume = 0 WHERE ${minutes(20, 17)}`)

    const opened = await open('?charts=ETHUSDT:1m')

    expect((await opened.chart()).missing).toBe(11)
    const bars = await opened.bars()
    expect(bars.filter(({ tradeCount }) => tradeCount === 0)).toHaveLength(4)
    expect(bars.filter(({ revision }) => revision > 0).length).toBeGreaterThanOrEqual(2)
    for (let times = 0; times < 3; times++) await opened.page.keyboard.press('+')
    await pointAtGap(opened)
    await opened.page.getByText('11 bars are missing').waitFor()
    await opened.page.mouse.move(5, 5)
    await picture(opened, 'marks')
  })

  /** Moves the mouse from the newest bars to older ones until it is over a gap. */
  async function pointAtGap({ page }: OpenedPage): Promise<void> {
    const box = (await page.locator('.canvas').boundingBox())!
    for (let x = box.x + box.width * 0.9; x > box.x; x -= 25) {
      await page.mouse.move(x, box.y + box.height / 3)
      await page.evaluate('new Promise(requestAnimationFrame)')
      if (await page.locator('.legend.is-gap').count()) return
    }
  }
})

function withoutProof({ proof, ...bar }: BarText): Omit<BarText, 'proof'> {
  return bar
}
