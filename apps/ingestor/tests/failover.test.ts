import { type FeedEvent, openTradeFeed } from '@chart/binance'
import { rankMembers } from '@chart/market'
import { feedLeaseKey, type LeaderLock, openLeaderLock, readFeedStatus } from '@chart/redis'
import { type RedisServer, startRedis } from '@chart/servers'
import { type AppProcess, killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { OpenFeed } from '../src/shard-listener.ts'
import { expectLogsRight, expectWatermarksRight, type Ingestor, type LoggedSymbol, openRig, type Rig } from './rig.ts'

/** Two ingestors, one of which leads: whatever becomes of it, the other goes on, and the logs are as if nothing had been. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())
afterEach(killApps)

function start(rig: Rig, member: string): AppProcess {
  return runApp('ingestor', {
    MEMBER: member,
    SYMBOLS: rig.symbols.join(),
    PARTITIONS: '4',
    FEED_SHARDS: '1',
    REDIS_URL: server.url,
    BINANCE_STREAM_URL: rig.simulator.streamUrl,
    BINANCE_API_URL: rig.simulator.url,
  })
}

const times = ({ output }: AppProcess, text: string) => output.text.split(text).length - 1
const leads = (one: AppProcess) => times(one, '"leading"') > times(one, '"no longer leading"')
const isWarm = (one: AppProcess) => one.output.text.includes('"feed connected"')

/** The leader and a warm standby. */
async function startPair(rig: Rig): Promise<[AppProcess, AppProcess]> {
  const leader = start(rig, 'first')
  await until('one leads', () => leads(leader))
  const standby = start(rig, 'second')
  await until('the other stands by', () => isWarm(standby))
  await rig.untilState('live')
  return [leader, standby]
}

async function expectAllLogged(rig: Rig): Promise<Map<string, LoggedSymbol>> {
  await rig.untilCaughtUp()
  await rig.untilState('live')
  return expectLogsRight(rig, server.url)
}

async function expectAllRight(rig: Rig): Promise<void> {
  const logged = await expectAllLogged(rig)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
}

test('a leader that is killed is followed by the standby', async () => {
  await using rig = await openRig(server)
  const [leader, standby] = await startPair(rig)
  expect(leads(standby)).toBe(false)
  leader.child.kill('SIGKILL')
  await until('the standby leads', () => leads(standby))
  await expectAllRight(rig)
})

test('a leader that stops gives the lease away at once', async () => {
  await using rig = await openRig(server)
  const [leader, standby] = await startPair(rig)
  leader.child.kill('SIGTERM')
  expect(await leader.exited).toBe(0)
  expect(await rig.redis.get('lease:feed:0')).not.toBe('first')
  await until('the standby leads', () => leads(standby))
  await expectAllRight(rig)
})

test('a leader that slept is fenced when it wakes up, writes nothing, and stands by', async () => {
  await using rig = await openRig(server)
  const [leader, standby] = await startPair(rig)
  const owner = `own:${await rig.tagOf('BTCUSDT')}:ingest`
  const before = await rig.redis.hget(owner, 'token')
  leader.child.kill('SIGSTOP')
  await until(
    'the standby has claimed',
    async () => leads(standby) && (await rig.redis.hget(owner, 'token')) !== before,
  )
  const token = await rig.redis.hget(owner, 'token')
  await rig.untilCaughtUp()
  leader.child.kill('SIGCONT')
  await until('the old one has noticed', () => !leads(leader))
  expect(leads(standby)).toBe(true)
  expect(await rig.redis.hget(owner, 'token')).toBe(token)
  await expectAllRight(rig)
  standby.child.kill('SIGKILL')
  await until('the first leads again', () => leads(leader))
  await expectAllRight(rig)
})

test('a leader that loses its lease to another is fenced and follows it', async () => {
  await using rig = await openRig(server)
  const [leader, standby] = await startPair(rig)
  // The lease becomes a stranger's, who then dies: whoever has it next shuts the other out.
  await rig.redis.set('lease:feed:0', 'a stranger', 'PX', 3_000)
  await until('it was lost', () => times(leader, '"no longer leading"') === 1)
  await until('one of them leads', () => leads(leader) !== leads(standby))
  await expectAllRight(rig)
})

test('leaders killed one after the other, with lost and repeated frames, leave the logs right', async () => {
  await using rig = await openRig(server)
  rig.simulator.drop({ share: 0.02 })
  rig.simulator.duplicate({ share: 0.05 })
  let ingestors = await startPair(rig)
  for (let round = 0; round < 3; round++) {
    const [leader, standby] = leads(ingestors[0]) ? ingestors : ([ingestors[1], ingestors[0]] as const)
    leader.child.kill('SIGKILL')
    const next = start(rig, `next-${round}`)
    ingestors = [standby, next]
    await until('another leads', () => leads(standby) || leads(next))
    await until('both are there', () => isWarm(next))
  }
  rig.simulator.clear()
  await rig.untilState('live')
  await rig.untilCaughtUp()
  await expectLogsRight(rig, server.url)
})

/** A feed that can go deaf without notice, for all symbols or some, while it says that it is heard. */
function deafFeed(rig: Rig): { openFeed: OpenFeed; deafFor: Set<string> } {
  const deafFor = new Set<string>()
  async function* openFeed(symbols: readonly string[], signal: AbortSignal): AsyncGenerator<readonly FeedEvent[]> {
    for await (const events of openTradeFeed({ streamUrl: rig.simulator.streamUrl, symbols, signal })) {
      yield events.filter(event => event.kind !== 'trade' || !deafFor.has(event.symbol))
    }
  }
  return { openFeed, deafFor }
}

const leading = async ({ metrics }: Ingestor) => (await metrics.leading.get()).values[0]!.value
const steals = async ({ metrics }: Ingestor) => (await metrics.steals.get()).values[0]!.value

/** A second ingestor, from the moment on that it has heard every symbol: what is traded next, it holds. */
async function startWarm(rig: Rig): Promise<Ingestor> {
  const heard = new Set<string>()
  async function* openFeed(symbols: readonly string[], signal: AbortSignal): AsyncGenerator<readonly FeedEvent[]> {
    for await (const events of openTradeFeed({ streamUrl: rig.simulator.streamUrl, symbols, signal })) {
      yield events
      for (const event of events) if (event.kind === 'trade') heard.add(event.symbol)
    }
  }
  const standby = await rig.startIngestor({ member: SECOND, openFeed, handOverMs: 600_000 })
  await until('the standby has heard every symbol', () => heard.size === rig.symbols.length)
  return standby
}

/**
 * A deaf leader does not ask the exchange what it may have missed: whatever mends the log is the standby's doing. Its watermarks are not
 * looked at: they promise what it cannot know, and the trades that come after them are corrections.
 */
const DEAF = { handOverMs: 600_000, auditMs: 600_000 }

/** The shard of all symbols is the first's, by its name. */
const [FIRST, SECOND] = rankMembers('feed-0', ['one', 'two']) as [string, string]

test('a leader that hears nothing and renews its lease is overtaken', async () => {
  await using rig = await openRig(server)
  const { openFeed, deafFor } = deafFeed(rig)
  const deaf = await rig.startIngestor({ member: FIRST, openFeed, ...DEAF })
  await until('it leads', async () => (await leading(deaf)) === 1)
  const standby = await startWarm(rig)
  await rig.untilState('live')
  for (const symbol of rig.symbols) deafFor.add(symbol)
  await until('the standby leads', async () => (await leading(standby)) === 1)
  await until('the deaf one does not', async () => (await leading(deaf)) === 0)
  await expectAllLogged(rig)
})

test('a leader that is deaf for one symbol, without a jump of ids to see it by, is overtaken', async () => {
  await using rig = await openRig(server)
  const { openFeed, deafFor } = deafFeed(rig)
  const deaf = await rig.startIngestor({ member: FIRST, openFeed, ...DEAF })
  await until('it leads', async () => (await leading(deaf)) === 1)
  const standby = await startWarm(rig)
  await rig.untilState('live')
  deafFor.add('PEPEUSDT')
  await until('the standby leads', async () => (await leading(standby)) === 1)
  await expectAllLogged(rig)
})

test('a leader that went deaf before the standby began to listen is overtaken, though the next trade is nowhere', async () => {
  await using rig = await openRig(server)
  const { openFeed, deafFor } = deafFeed(rig)
  const deaf = await rig.startIngestor({ member: FIRST, openFeed, ...DEAF })
  await until('it leads', async () => (await leading(deaf)) === 1)
  await rig.untilState('live')
  deafFor.add('BTCUSDT')
  const { lastTradeId } = rig.simulator.status().symbols.BTCUSDT!
  await until('the log lacks a trade', () => rig.simulator.status().symbols.BTCUSDT!.lastTradeId! > lastTradeId! + 5)
  const standby = await startWarm(rig)
  await until('the standby leads', async () => (await leading(standby)) === 1)
  await expectAllLogged(rig)
})

test('a leader that waits for REST with a gap that the standby has too is left alone', async () => {
  await using rig = await openRig(server)
  const leader = await rig.startIngestor({ member: FIRST })
  await until('it leads', async () => (await leading(leader)) === 1)
  const standby = await startWarm(rig)
  await rig.untilState('live')
  rig.simulator.restStatus({ status: 503, ms: 600_000 })
  rig.simulator.drop({ symbol: 'BTCUSDT', count: 5 })
  await rig.untilState('backfilling', ['BTCUSDT'])
  const from = rig.simulator.now()
  const ETHUSDT = [{ tag: await rig.tagOf('ETHUSDT'), symbol: 'ETHUSDT' }]
  const loggedTime = async () => (await readFeedStatus(rig.redis, ETHUSDT))[0]!.lastTradeTime
  await until('others go on for longer than a deaf leader is suffered', async () => (await loggedTime()) > from + 4_000)
  expect([await steals(standby), await leading(leader)]).toEqual([0, 1])
  rig.simulator.clear()
  await expectAllRight(rig)
})

test('shards are shared out, each to the first in line; one that joins or dies moves its own only', async () => {
  const symbols = ['BTCUSDT', ...Array.from({ length: 19 }, (_, index) => `SYM${index}USDT`)]
  await using rig = await openRig(server, { symbols, partitions: 8 })
  const ingestors = new Map<string, Ingestor>()
  /** Of each shard, who got its lease last. */
  const leaders = new Map<number, string>()
  const openLock = (shard: number, member: string): LeaderLock => {
    const lock = openLeaderLock({ url: server.url, key: feedLeaseKey(shard) })
    const acquire = async () => {
      const isOurs = await lock.acquire()
      if (isOurs) leaders.set(shard, member)
      return isOurs
    }
    return { ...lock, acquire }
  }
  const start = async (member: string) => {
    const options = {
      partitions: 8,
      feedShards: 4,
      handOverMs: 500,
      openLock: (shard: number) => openLock(shard, member),
    }
    ingestors.set(member, await rig.startIngestor({ member, ...options }))
  }
  const shared = (members: string[]) => [0, 1, 2, 3].map(shard => rankMembers(`feed-${shard}`, members)[0])
  const leads = async (members: string[]) => {
    const counts = await Promise.all(members.map(member => leading(ingestors.get(member)!)))
    return counts.join() === members.map(member => shared(members).filter(of => of === member).length).join()
  }
  await start('one')
  await until('one leads all', () => leads(['one']))
  await start('two')
  await start('three')
  await until('each leads its own', () => leads(['one', 'two', 'three']))
  expect(new Set(shared(['one', 'two', 'three'])).size).toBe(3)
  await rig.untilState('live')
  expect([0, 1, 2, 3].map(shard => leaders.get(shard))).toEqual(shared(['one', 'two', 'three']))
  await ingestors.get('two')!.stop()
  await until('its shards are led by others', () => leads(['one', 'three']))
  await expectAllRight(rig)
})
