import { ChartError, openChartClient } from '@chart/client'
import { openPostgres } from '@chart/postgres'
import { until } from '@chart/testkit'
import { expect, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { storedBars } from '../src/oracle.ts'
import { ShownPage } from '../src/shown-page.ts'
import { ComposeStack, type Container } from './compose-stack.ts'
import { describeContainers } from './engine.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
/** Traded from the beginning, served when it is asked for. */
const ADDED = 'SOLUSDT'
const MINUTE_MS = 60_000
/** A minute has to pass, and its bars have to be stored, on a machine that may be busy. */
const CLOSE_TIMEOUT_MS = 150_000

describeContainers('compose stack', () => {
  test('bars reach a client outside and the page, equal the oracle over a kill and a restart of everything, and every container ends with status 0', async () => {
    // On the wall's clock: a simulator with a clock of its own would begin anew when it is started again.
    const traded = [...SYMBOLS, ADDED].join()
    await using stack = new ComposeStack({ TRADES_PER_SECOND: '60', SYMBOLS: traded })
    await stack.compose('build')

    const begin = performance.now()
    await stack.compose('up', '--detach', '--no-build')
    const firstBar = await firstBarOf(stack, 'BTCUSDT')
    const firstBarMs = performance.now() - begin
    await stack.compose('up', '--detach', '--no-build', '--wait')
    console.log(`from "up" to the first bar at a client outside: ${(firstBarMs / 1000).toFixed(1)} s`)
    expect(firstBar).toMatchObject({ symbol: 'BTCUSDT', interval: '1m', event: 'snapshot' })
    const containers = await stack.containers()
    expect(containers.filter(one => one.service !== 'migrate' && one.health !== 'healthy')).toEqual([])
    expect(containers.length).toBe(12)
    expect(
      containers
        .filter(one => !one.hasInit)
        .map(one => one.service)
        .sort(),
    ).toEqual(['postgres', 'redis'])
    expect(await stack.compose('run', '--rm', '--no-TTY', 'cli', 'symbols')).toContain('BTCUSDT')
    for (const { name, readyMs } of await stack.startTimes())
      console.log(`${name}: ready ${readyMs} ms after its process began`)

    const page = new ShownPage(`http://${await stack.address('dashboard', 8080)}`)
    await page.checkFiles()
    expect(await page.symbols()).toContainEqual(expect.objectContaining({ symbol: 'BTCUSDT', simulated: true }))
    expect(await page.liveBar('BTCUSDT', '1m')).toMatchObject({ symbol: 'BTCUSDT', interval: '1m', state: 'live' })

    await using servers = await openServers(stack)
    await servers.closesBars('the start')
    expect(await page.bars('BTCUSDT', '1m')).not.toEqual([])
    await stack.compose('kill', '--signal', 'SIGKILL', 'ingestor')
    await stack.compose('up', '--detach', '--no-build', '--wait')
    await servers.closesBars('both ingestors were killed')

    const running = (await stack.containers()).filter(isUntouched)
    stack.env.SYMBOLS = traded
    await stack.compose('up', '--detach', '--no-build', '--wait')
    expect(await firstBarOf(stack, ADDED)).toMatchObject({ symbol: ADDED, event: 'snapshot' })
    // Only who reads the list was started again.
    expect((await stack.containers()).filter(isUntouched)).toEqual(running)

    await stack.compose('stop')
    const ended = await stack.containers()
    expect(ended.filter(one => one.running || one.exitCode !== 0 || one.killed)).toEqual([])

    await stack.compose('up', '--detach', '--no-build', '--wait')
    await using again = await openServers(stack)
    await again.closesBars('all of it was stopped and started')
    const wrong = await again.compare()
    expect(wrong).toMatchObject({ missing: [], surplus: [], differing: [] })
    expect(wrong.compared).toBeGreaterThan(2 * SYMBOLS.length)
    console.log(
      `${wrong.compared} bars compared with the oracle, ${wrong.incomplete.length} of them begun before the start`,
    )
  }, 900_000)
})

const isUntouched = ({ service }: Container) => !['ingestor', 'auditor', 'migrate'].includes(service)

/** The first bar that a client on this machine gets, asked for from the moment that the edge's port is there. */
async function firstBarOf(stack: ComposeStack, symbol: string) {
  await using client = await openChartClient({ address: await stack.address('edge', 50051), connectWithinMs: 120_000 })
  for (;;) {
    try {
      for await (const bar of client.bars({ symbols: [symbol], intervals: ['1m'] })) return bar
    } catch (error) {
      // The edge is ready before the first trade has made the symbol known.
      if (!(error instanceof ChartError && error.code === 'NOT_FOUND')) throw error
    }
  }
}

/** What the test asks of the exchange and of PostgreSQL, whose ports differ after each start. */
async function openServers(stack: ComposeStack) {
  const apiUrl = `http://${await stack.address('exchange', 9000)}`
  const databaseUrl = `postgres://postgres@${await stack.address('postgres', 5432)}/chart`
  const postgres = await openPostgres({ url: databaseUrl, applicationName: 'containers' })
  const newest = async (symbol: string) => (await storedBars(postgres, symbol, '1m')).at(-1)?.openTime ?? 0
  return {
    async closesBars(after: string) {
      const before = await Promise.all(SYMBOLS.map(newest))
      const what = `a bar of each symbol is stored after ${after}`
      const stored = async () => (await Promise.all(SYMBOLS.map(newest))).every((time, index) => time > before[index]!)
      await until(what, stored, CLOSE_TIMEOUT_MS)
    },
    async compare() {
      const { serverTime } = (await (await fetch(`${apiUrl}/api/v3/time`)).json()) as { serverTime: number }
      const untilTime = Math.floor(serverTime / MINUTE_MS) * MINUTE_MS
      const compare = () => compareWithOracle(postgres, apiUrl, SYMBOLS, ['1m', '5m'], untilTime)
      await until('the last bars are stored', async () => (await compare()).missing.length === 0)
      return compare()
    },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  }
}
