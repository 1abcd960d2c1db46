import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Counter, Gauge, Histogram, type Registry } from '@chart/service'
import { expect, test } from 'vitest'
import { openAppMetrics } from './app-metrics.ts'
import { PLACES } from './places.ts'

/** How metrics are named and told, in every app alike, so that whoever knows one of them knows the others. */

/** What a number counts or measures, in base units: the last word of a name, or of a counter's the one before `total`. */
const UNITS = [
  ...['seconds', 'bytes'],
  ...['appends', 'bars', 'calls', 'commits', 'connections', 'differences', 'disconnects', 'duplicates', 'entries'],
  ...['events', 'gaps', 'holes', 'jobs', 'acks', 'messages', 'pages', 'partitions', 'repairs', 'requests', 'rereads'],
  ...['rewinds', 'shards', 'steals', 'stops', 'streams', 'symbols', 'trades', 'updates', 'writes'],
  // 1 or 0.
  'leading',
]

/** Labels have few values, all of them ours: no symbol, address, key or text of somebody else. */
const LABELS = ['by', 'code', 'field', 'for', 'method', 'reason', 'result', 'route', 'shard', 'state', 'status']

/** Which of their series there are is known only when something has happened, and no alert waits for the first. */
const OPEN_LABELS = [
  'chart_dashboard_http_requests_total',
  'chart_edge_call_seconds',
  'chart_ingestor_feed_age_seconds',
]

interface Metric {
  readonly app: string
  readonly name: string
  readonly help: string
  readonly kind: unknown
  readonly labels: readonly string[]
  readonly buckets: readonly number[]
  readonly seriesCount: number
}

const metrics = (await Promise.all([...openAppMetrics()].map(([app, registry]) => metricsOf(app, registry)))).flat()

async function metricsOf(app: string, registry: Registry): Promise<Metric[]> {
  return Promise.all(
    registry.getMetricsAsArray().map(async ({ name, help }) => {
      const metric = registry.getSingleMetric(name)!
      const { labelNames = [], upperBounds = [] } = metric as { labelNames?: string[]; upperBounds?: number[] }
      const { values } = await metric.get()
      const labels = labelNames.filter(label => label !== 'le')
      return { app, name, help, kind: metric.constructor, labels, buckets: upperBounds, seriesCount: values.length }
    }),
  )
}

const namesOf = (wrong: (metric: Metric) => boolean) => metrics.filter(wrong).map(({ name }) => name)

test('the metrics of every app that has some are looked at', () => {
  const apps = readdirSync(join(PLACES.root, 'apps')).filter(app =>
    readdirSync(join(PLACES.root, 'apps', app, 'src')).includes('metrics.ts'),
  )
  expect([...openAppMetrics().keys()].sort()).toEqual(apps.sort())
  expect(metrics.length).toBeGreaterThan(70)
})

test('a name is chart_<app>_ and lower-case words', () => {
  expect(namesOf(({ app, name }) => !new RegExp(`^chart_${app}_[a-z]+(_[a-z]+)*$`).test(name))).toEqual([])
})

test('a name ends in what is counted, in a base unit, and a counter in total', () => {
  const unitOf = (name: string) =>
    name
      .replace(/_total$/, '')
      .split('_')
      .at(-1)!
  expect(namesOf(({ name }) => !UNITS.includes(unitOf(name)))).toEqual([])
  expect(namesOf(({ name, kind }) => (kind === Counter) !== name.endsWith('_total'))).toEqual([])
  expect(namesOf(({ kind }) => ![Counter, Gauge, Histogram].includes(kind as never))).toEqual([])
})

test('a histogram of times has buckets in order, from milliseconds to where an alert looks', () => {
  const times = metrics.filter(({ kind, name }) => kind === Histogram && name.endsWith('_seconds'))
  const isSorted = (buckets: readonly number[]) =>
    buckets.every((one, index) => index === 0 || one > buckets[index - 1]!)
  expect(times.filter(({ buckets }) => buckets.length < 6 || !isSorted(buckets)).map(({ name }) => name)).toEqual([])
})

test('help begins with a capital or the value itself, and ends without a full stop', () => {
  expect(namesOf(({ help }) => !/^[A-Z1].{4,}[^.\s]$/.test(help))).toEqual([])
})

test('labels are of a closed list', () => {
  expect(namesOf(({ labels }) => labels.some(label => !LABELS.includes(label)))).toEqual([])
  const used = new Set(metrics.flatMap(({ labels }) => labels))
  expect([...used].sort()).toEqual(LABELS)
})

test('a labelled series is there before it counts, since increase() does not see the first value', () => {
  const late = namesOf(({ labels, seriesCount }) => labels.length > 0 && seriesCount === 0)
  expect(late.filter(name => !OPEN_LABELS.includes(name))).toEqual([])
})
