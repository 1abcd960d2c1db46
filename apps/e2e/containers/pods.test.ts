import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openChartClient } from '@chart/client'
import type { KubeObject } from '@chart/deployment/kube-object'
import { renderWith } from '@chart/deployment/kustomize'
import { readObjects } from '@chart/deployment/read-objects'
import { type Workload, workloadsOf } from '@chart/deployment/workloads'
import { openPostgres } from '@chart/postgres'
import { until } from '@chart/testkit'
import { expect, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { storedBars } from '../src/oracle.ts'
import { ShownPage } from '../src/shown-page.ts'
import { docker } from './docker.ts'
import { DockerPods, type Pod } from './docker-pods.ts'
import { describeContainers } from './engine.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const MINUTE_MS = 60_000
/** A minute has to pass, and its bars have to be stored, on a machine that may be busy. */
const CLOSE_TIMEOUT_MS = 150_000

describeContainers('pods of the local overlay', () => {
  test('run as the manifests say: hardened, with their Secrets, probes, backup and restore, ending with status 0', async () => {
    const { objects, apiKey } = await readOverlay()
    const workloads = new Map(workloadsOf(objects).map(workload => [workload.name, workload]))
    const of = (name: string) => workloads.get(name) ?? fail(`no workload ${name}`)
    for (const app of ['ingestor', 'aggregator', 'persister', 'auditor', 'edge', 'dashboard', 'exchange-simulator']) {
      await docker(['build', '--quiet', '--build-arg', `APP=${app}`, '--tag', of(app).containers[0]!.image!, '.'])
    }

    await using pods = await DockerPods.open(objects)
    const start = async (name: string, count = 1) => {
      const started: Pod[] = []
      for (let index = 0; index < count; index++) started.push(await pods.start(of(name), index))
      for (const pod of started) {
        try {
          await until(`${pod.name} has started`, () => pods.hasStarted(pod))
          await until(`${pod.name} is ready`, () => pods.probe(pod, 'readinessProbe'))
          await until(`${pod.name} lives`, () => pods.probe(pod, 'livenessProbe'))
        } catch (error) {
          throw new Error(`${(error as Error).message}:\n${await pods.logs(pod)}`)
        }
      }
      return started
    }
    const [redis] = await start('redis')
    const [postgresPod] = await start('postgres')
    const [exchange] = await start('exchange-simulator')
    const migration = [...workloads.values()].find(({ kind, name }) => kind === 'Job' && name.startsWith('migrate-'))!
    expect(await pods.runToEnd(migration)).toContain('applied')
    const apps = [
      ...(await start('ingestor', 2)),
      ...(await start('aggregator', 2)),
      ...(await start('persister', 2)),
      ...(await start('auditor')),
      ...(await start('edge', 2)),
      ...(await start('dashboard', 2)),
    ]

    const edges = await Promise.all(
      apps.filter(isOf('edge')).map(async ({ name }) => `${await pods.addressOf(name)}:50051`),
    )
    await using client = await openChartClient({ address: edges.join(), apiKey, allowKeyInPlainText: true })
    const told: string[] = []
    for await (const bar of client.bars({ symbols: SYMBOLS, intervals: ['1m'] })) {
      told.push(bar.symbol)
      if (new Set(told).size === SYMBOLS.length) break
    }

    const address = async (pod: Pod | undefined) => pods.addressOf(pod!.name)
    const apiUrl = `http://${await address(exchange)}:8080`
    const owner = new URL(secretOf(objects, 'migrate', 'DATABASE_URL'))
    owner.hostname = await address(postgresPod)
    await using postgres = await openPostgres({ url: owner.href, applicationName: 'containers' })
    const stored = async () => (await Promise.all(SYMBOLS.map(symbol => storedBars(postgres, symbol, '1m')))).flat()
    await until(
      'a complete bar of each symbol is stored',
      async () => {
        const complete = (await stored()).filter(bar => bar.complete)
        return new Set(complete.map(bar => bar.symbol)).size === SYMBOLS.length
      },
      CLOSE_TIMEOUT_MS,
    )
    const serverTime = async () =>
      ((await (await fetch(`${apiUrl}/api/v3/time`)).json()) as { serverTime: number }).serverTime
    const untilTime = Math.floor((await serverTime()) / MINUTE_MS) * MINUTE_MS
    const wrong = async () => {
      // Bars that were imported have no trade ids, and say that they are not complete.
      const { differing, surplus } = await compareWithOracle(postgres, apiUrl, SYMBOLS, ['1m'], untilTime)
      return [...differing, ...surplus]
    }
    expect(await wrong()).toEqual([])

    for (const { name } of apps.filter(isOf('dashboard'))) {
      const page = new ShownPage(`http://${await pods.addressOf(name)}:8080`)
      // With the key that secrets:local made, which is for history alone.
      expect(await page.bars('BTCUSDT', '1m')).not.toEqual([])
      expect(await page.liveBar('BTCUSDT', '1m')).toMatchObject({ symbol: 'BTCUSDT', state: 'live' })
    }

    const before = await stored()
    expect(await pods.runToEnd(of('backup'))).toMatch(/backup: wrote chart-\d+T\d+Z\.dump, \d+ bytes/)
    const persisters = apps.filter(isOf('persister'))
    for (const pod of [...persisters, ...apps.filter(isOf('auditor'))]) expect(await pods.stop(pod)).toBe(0)
    await postgres.query({ text: 'DROP TABLE bars CASCADE' })
    expect(await pods.runToEnd(await readRestoreJob())).toContain('restore: chart-')
    const restored = new Map((await stored()).map(bar => [`${bar.symbol} ${bar.openTime}`, bar]))
    expect(
      before.filter(bar => JSON.stringify(restored.get(`${bar.symbol} ${bar.openTime}`)) !== JSON.stringify(bar)),
    ).toEqual([])
    for (const { name } of persisters) await docker(['start', name])
    await until(
      'bars that closed meanwhile are stored',
      async () => (await stored()).length > before.length,
      CLOSE_TIMEOUT_MS,
    )
    expect(await wrong()).toEqual([])

    const statuses = Object.fromEntries(
      await Promise.all([...apps, exchange!].map(async pod => [pod.name, await pods.stop(pod)] as const)),
    )
    expect(Object.entries(statuses).filter(([, status]) => status !== 0)).toEqual([])
    expect(await pods.stop(redis!)).toBe(0)
    expect(await pods.stop(postgresPod!)).toBe(0)
  }, 900_000)
})

const isOf = (name: string) => (pod: Pod) => pod.workload.name === name

function fail(message: string): never {
  throw new Error(message)
}

/** The local overlay on a simulated exchange, with Secrets as `npm run secrets:local` makes them. */
async function readOverlay(): Promise<{ objects: KubeObject[]; apiKey: string }> {
  const rendered = await renderWith(`${ROOT}k8s/overlays/local`, `${ROOT}k8s/components/exchange-simulator`)
  const secrets = await promisify(execFile)(process.execPath, [`${ROOT}apps/deployment/src/secrets.ts`])
  const apiKey = /ck_\S+/.exec(secrets.stderr)?.[0] ?? fail(`no API key in: ${secrets.stderr}`)
  return { objects: [...readObjects(rendered, 'local'), ...readObjects(secrets.stdout, 'secrets')], apiKey }
}

async function readRestoreJob(): Promise<Workload> {
  const file = 'k8s/operations/restore-job.yaml'
  return workloadsOf(readObjects(await readFile(ROOT + file, 'utf8'), file))[0]!
}

function secretOf(objects: readonly KubeObject[], name: string, key: string): string {
  const secret = objects.find(({ kind, metadata }) => kind === 'Secret' && metadata?.name === name)
  return (secret as { stringData?: Record<string, string> }).stringData?.[key] ?? fail(`no ${key} in Secret ${name}`)
}
