import { type RedisServer, startRedis } from '@chart/servers'
import { type AppProcess, killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectLogsRight, expectWatermarksRight, openRig, type Rig } from './rig.ts'

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

async function expectAllRight(rig: Rig): Promise<void> {
  await rig.untilCaughtUp()
  await rig.untilState('live')
  const logged = await expectLogsRight(rig, server.url)
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
