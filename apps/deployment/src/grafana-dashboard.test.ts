import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expressionsIn, type GrafanaPanel, readGrafanaDashboard } from './grafana-dashboard.ts'
import { named } from './kube-object.ts'
import { metricNames } from './metric-names.ts'
import { PLACES } from './places.ts'
import { readRuleGroups } from './prometheus-rules.ts'
import { metricsIn } from './promql-names.ts'
import { readObjects } from './read-objects.ts'
import { renderedFileOf } from './rendered-file.ts'

/** Prometheus' own. */
const OF_PROMETHEUS = ['up', 'ALERTS']
/** Of Grafana's grid. */
const COLUMNS = 24

const dashboard = await readGrafanaDashboard(PLACES)
const panels = dashboard.panels
const drawn = panels.filter(({ type }) => type !== 'row')
const expressions = expressionsIn(dashboard)

test('it is a dashboard of Grafana 10 or newer, for any data source and namespace', () => {
  expect(dashboard).toMatchObject({ schemaVersion: 39, uid: 'chart-service' })
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace'])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
})

test('panels lie side by side, each below the title of its row', () => {
  const taken = new Map<string, string>()
  const overlaps: string[] = []
  for (const { title, gridPos } of panels) {
    const { x, y, w, h } = gridPos
    expect(x >= 0 && x + w <= COLUMNS, title).toBe(true)
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const other = taken.get(`${column} ${line}`)
        if (other !== undefined) overlaps.push(`${title} lies on ${other}`)
        taken.set(`${column} ${line}`, title)
      }
    }
  }
  expect(overlaps).toEqual([])
  const top = ({ gridPos }: GrafanaPanel) => gridPos.y * COLUMNS + gridPos.x
  expect(panels.map(top)).toEqual(panels.map(top).toSorted((a, b) => a - b))
})

test('every panel has a unit, and says what it shows', () => {
  expect(panels[0]!.type).toBe('row')
  for (const { title, description, fieldConfig, targets } of drawn) {
    expect(description, title).toMatch(/^[A-Z].{20,}\.$/)
    expect(fieldConfig?.defaults.unit, title).toBeTruthy()
    expect(targets!.length, title).toBeGreaterThan(0)
    expect(new Set(targets!.map(({ refId }) => refId)).size, title).toBe(targets!.length)
  }
})

test('every series that it asks for is shown by an app, recorded, or of Prometheus itself', async () => {
  const groups = await readRuleGroups(PLACES)
  const recorded = groups.flatMap(({ rules = [] }) => rules.flatMap(({ record }) => record ?? []))
  const known = new Set([...metricNames(), ...recorded, ...OF_PROMETHEUS])
  expect(expressions.flatMap(metricsIn).filter(name => !known.has(name))).toEqual([])
})

test('every metric of ours is on it', () => {
  const asked = new Set(expressions.flatMap(metricsIn))
  const ours = [...metricNames()].filter(name => name.startsWith('chart_') && !/_(?:sum|count)$/.test(name))
  expect(ours.filter(name => !asked.has(name))).toEqual([])
})

/** Observed when a bar ends or is compared: no stored bar is shorter than a minute. */
const ONCE_A_MINUTE =
  /chart_(persister_(stored_delay|upsert)_seconds|persister_batch_bars|auditor_proven_delay_seconds)_bucket/

test('quantiles of what comes once a minute are drawn over five: in between a shorter rate has nothing to show', () => {
  const rare = expressions.filter(expr => ONCE_A_MINUTE.test(expr))
  expect(rare.length).toBeGreaterThan(8)
  expect(rare.filter(expr => !expr.includes('[5m]'))).toEqual([])
})

test('nothing is asked of other namespaces, and a legend names labels that are left', () => {
  for (const { title, targets } of drawn) {
    for (const { expr, legendFormat = '' } of targets!) {
      const selectors = expr.match(/\{[^}]*\}/g)!.filter(selector => !selector.includes('alertname'))
      for (const selector of selectors) expect(selector, title).toContain('namespace="$namespace"')
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        expect(expr, title).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`))
      }
    }
  }
})

test('the cluster is given it where the sidecar of Grafana finds it', () => {
  const objects = readObjects(readFileSync(renderedFileOf('production', PLACES), 'utf8'), 'production')
  const map = named(objects, 'ConfigMap', 'grafana-dashboard')
  expect(map?.metadata?.labels).toMatchObject({ grafana_dashboard: '1', 'app.kubernetes.io/component': 'monitoring' })
  expect(JSON.parse(map!.data!['chart-service.json']!)).toEqual(dashboard)
})
