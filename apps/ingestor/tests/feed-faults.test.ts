import type { ExchangeSimulator, MalformedKind } from '@chart/exchange-simulator'
import { type RedisServer, startRedis } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectLogsRight, expectWatermarksRight, openRig, type Rig, readLogs } from './rig.ts'

/** The exchange misbehaves: the logs hold its trades all the same, and promise nothing that is not so. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

/** Lets the exchange trade for `ms` of its time. */
async function trade({ simulator }: Rig, ms: number): Promise<void> {
  const endTime = simulator.now() + ms
  await until(`${ms} ms of trades`, () => simulator.now() >= endTime)
}

const watermarkOf = async (rig: Rig, symbol: string) =>
  Number(await rig.redis.hget(`feed:${await rig.tagOf(symbol)}:${symbol}`, 'watermark'))

const frameFaults: Record<string, (simulator: ExchangeSimulator) => void> = {
  'lost frames': simulator => simulator.drop({ share: 0.05 }),
  'repeated frames': simulator => simulator.duplicate({ share: 0.2 }),
  'reordered frames': simulator => simulator.reorder({ share: 0.1, by: 3 }),
  'all of them at once': simulator => {
    simulator.drop({ share: 0.05 })
    simulator.duplicate({ share: 0.1 })
    simulator.reorder({ share: 0.1, by: 2 })
  },
}

for (const [name, inject] of Object.entries(frameFaults)) {
  test(`${name} change nothing in the logs`, async () => {
    await using rig = await openRig(server)
    inject(rig.simulator)
    await rig.startIngestor()
    await rig.untilState('live')
    await trade(rig, 3_000)
    rig.simulator.clear()
    await rig.untilState('live')
    await rig.untilCaughtUp()
    await expectLogsRight(rig, server.url)
  })
}

test('malformed frames are counted and passed over, and their trades fetched', async () => {
  await using rig = await openRig(server)
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  const kinds: MalformedKind[] = ['invalid-json', 'wrong-types', 'numbers', 'missing-field', 'unknown-event']
  for (const [index, kind] of kinds.entries()) {
    rig.simulator.malformed({ kind, count: 3 })
    await until(`${kind} is sent`, () => rig.simulator.status().faultsApplied.malformed === 3 * (index + 1))
  }
  await rig.untilCaughtUp()
  await rig.untilState('live')
  await expectLogsRight(rig, server.url)
  // An event that we do not know is none of our business, and no fault.
  expect((await metrics.malformed.get()).values[0]!.value).toBe(12)
})

const breaks: Record<string, (simulator: ExchangeSimulator) => void> = {
  'a connection that breaks off': simulator => simulator.disconnect(),
  'a connection that is ended at 24 hours': simulator => simulator.ageOut(),
  'a connection that falls silent': simulator => simulator.stall({ ms: 30_000, presentOnly: true }),
  'a connection that falls silent without pongs': simulator =>
    simulator.stall({ ms: 30_000, presentOnly: true, pongs: false }),
}

for (const [name, inject] of Object.entries(breaks)) {
  test(`${name} is replaced, is told as stale meanwhile, and costs no trade and no false watermark`, async () => {
    await using rig = await openRig(server)
    const { metrics } = await rig.startIngestor()
    await rig.untilState('live')
    inject(rig.simulator)
    await until('the feed is lost', async () => (await metrics.disconnects.get()).values[0]!.value === 1)
    await rig.untilState('live')
    await trade(rig, 1_500)
    await rig.untilCaughtUp()
    const logged = await expectLogsRight(rig, server.url)
    for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
  })
}

test('an announced shutdown is survived without a moment of silence', async () => {
  await using rig = await openRig(server)
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.serverShutdown({ ms: 4_000 })
  await until('the old sockets are gone', () => rig.simulator.status().connections === 2)
  await until('only the new one is left', () => rig.simulator.status().connections === 1)
  await trade(rig, 1_000)
  await rig.untilCaughtUp()
  expect((await metrics.disconnects.get()).values[0]?.value ?? 0).toBe(0)
  await expectLogsRight(rig, server.url)
})

test('while nothing is heard at all every feed is stale and no watermark is written', async () => {
  await using rig = await openRig(server)
  await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.stall({ ms: 600_000 })
  await rig.untilState('stale')
  const before = await readLogs(rig, server.url)
  await trade(rig, 2_500)
  const after = await readLogs(rig, server.url)
  for (const symbol of rig.symbols) expect(after.get(symbol)!.blocks).toHaveLength(before.get(symbol)!.blocks.length)
  rig.simulator.clear()
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
})

test('a gap that REST cannot fill yet holds back its own symbol only, which is told as backfilling and gets no watermark', async () => {
  await using rig = await openRig(server)
  await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.restStatus({ status: 500, ms: 600_000 })
  rig.simulator.drop({ symbol: 'ETHUSDT', count: 1 })
  await rig.untilState('backfilling', ['ETHUSDT'])
  const [head, watermark] = [await rig.head('ETHUSDT'), await watermarkOf(rig, 'ETHUSDT')]
  const others = await watermarkOf(rig, 'BTCUSDT')
  await until('others go on', async () => (await watermarkOf(rig, 'BTCUSDT')) > others + 2_000)
  expect([await rig.head('ETHUSDT'), await watermarkOf(rig, 'ETHUSDT')]).toEqual([head, watermark])
  expect(await rig.stateOf('BTCUSDT')).toBe('live')
  rig.simulator.clear()
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
})

test('a limit of the exchange is waited out', async () => {
  await using rig = await openRig(server)
  await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.restStatus({ status: 429, count: 2, retryAfterSec: 2 })
  rig.simulator.drop({ count: 5 })
  await trade(rig, 500)
  await rig.untilState('live')
  await rig.untilCaughtUp()
  expect(rig.simulator.status().faultsApplied.restStatus).toBe(2)
  await expectLogsRight(rig, server.url)
})

test('an answer that asking again should not cure is asked again all the same, with a pause', async () => {
  await using rig = await openRig(server, { symbols: ['BTCUSDT'] })
  await rig.startIngestor()
  // Of the first two requests one is for the status; the other begins the log.
  rig.simulator.restStatus({ status: 400, count: 2 })
  await rig.untilState('live')
  expect(rig.simulator.status().faultsApplied.restStatus).toBe(2)
  rig.simulator.restStatus({ status: 400, ms: 600_000 })
  rig.simulator.drop({ count: 1 })
  await rig.untilState('backfilling')
  await trade(rig, 3_000)
  expect(rig.simulator.status().faultsApplied.restStatus).toBeLessThan(6)
  rig.simulator.clear()
  await rig.untilState('live')
  await rig.untilCaughtUp()
  await expectLogsRight(rig, server.url)
})

test('after a reconnect no symbol gets a watermark before the exchange has told its newest trade', async () => {
  const rates = { BTCUSDT: 30, ETHUSDT: 30, PEPEUSDT: 0.02 }
  await using rig = await openRig(server, { market: { rates } })
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.restStatus({ status: 500, ms: 600_000 })
  rig.simulator.disconnect()
  await until('the feed is lost', async () => (await metrics.disconnects.get()).values[0]!.value === 1)
  const silent = await watermarkOf(rig, 'PEPEUSDT')
  const head = await rig.head('PEPEUSDT')
  // A trade of it would prove by itself that none is missing.
  const hasTraded = async () => (await rig.head('PEPEUSDT')) !== head
  const isBackfilling = async () => (await rig.stateOf('PEPEUSDT')) === 'backfilling'
  await until('PEPEUSDT is backfilling', async () => (await isBackfilling()) || (await hasTraded()))
  await trade(rig, 2_500)
  if (!(await hasTraded())) expect(await watermarkOf(rig, 'PEPEUSDT')).toBe(silent)
  rig.simulator.clear()
  await rig.untilState('live')
  await until('it goes on', async () => (await watermarkOf(rig, 'PEPEUSDT')) > silent)
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
})

test('a last trade that gets lost before a silence is found by the audit', async () => {
  // The halt comes right after the trade that is dropped, so that no later one shows the gap.
  await using rig = await openRig(server)
  await rig.startIngestor({ auditMs: 1_000 })
  await rig.untilState('live')
  const { PEPEUSDT } = rig.simulator.status().symbols
  rig.simulator.drop({ symbol: 'PEPEUSDT', share: 1 })
  await until('a trade is lost', () => rig.simulator.status().symbols.PEPEUSDT!.lastTradeId !== PEPEUSDT!.lastTradeId)
  rig.simulator.halt({ symbol: 'PEPEUSDT' })
  await rig.untilCaughtUp()
  await expectLogsRight(rig, server.url)
})

test('a hole that the exchange itself has is marked, and the trades after it go on', async () => {
  await using rig = await openRig(server)
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  rig.simulator.hole({ symbol: 'ETHUSDT', count: 7 })
  await until('the hole is confirmed', async () => (await metrics.holes.get()).values[0]!.value === 1)
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const { blocks, trades } = (await expectLogsRight(rig, server.url)).get('ETHUSDT')!
  expect(blocks.filter(({ holeBefore }) => holeBefore)).toHaveLength(1)
  const jump = trades.findIndex(({ tradeId }, index) => index > 0 && tradeId !== trades[index - 1]!.tradeId + 1)
  expect(trades[jump]!.tradeId - trades[jump - 1]!.tradeId).toBe(8)
  expect(trades.length).toBeGreaterThan(jump)
})

test('a symbol whose trading is halted is told so, gets no watermark, and its first trade afterwards is marked', async () => {
  await using rig = await openRig(server)
  const halted = 'ETHUSDT'
  rig.simulator.halt({ symbol: halted })
  await rig.startIngestor()
  await rig.untilState('halted', [halted])
  await rig.untilState('live', ['BTCUSDT', 'PEPEUSDT'])
  await until('others get watermarks', async () => (await watermarkOf(rig, 'BTCUSDT')) > 0)
  rig.simulator.resume({ symbol: halted })
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const { blocks } = (await expectLogsRight(rig, server.url)).get(halted)!
  const haltedMarks = blocks.filter(({ packed }) => packed !== undefined).map(({ afterHalt }) => afterHalt)
  expect(haltedMarks.filter(Boolean)).toHaveLength(1)
  expect(blocks.findIndex(({ watermark }) => watermark > 0)).toBeGreaterThanOrEqual(
    blocks.findIndex(({ afterHalt }) => afterHalt),
  )
})
