import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { expectationsIn, readAlertTests } from '../src/alert-tests.ts'
import { expressionsIn, readGrafanaDashboard } from '../src/grafana-dashboard.ts'
import { PLACES } from '../src/places.ts'
import { alertsIn, type PrometheusRule, type RuleGroup, readRuleGroups, ruleFileOf } from '../src/prometheus-rules.ts'
import { runCommand } from '../src/run-command.ts'

/** The rules as Prometheus takes them, and their tests (k8s/components/observability/tests), by promtool. */

/** As the test files name it. */
const RULE_FILE = 'chart.rules.yaml'

const hasPromtool = (await runCommand('promtool', ['--version'])) !== undefined
if (!hasPromtool)
  console.warn('promtool is not on the PATH (Debian: apt-get install prometheus): alerts are not tested')

const groups = await readRuleGroups(PLACES)
const files = await readAlertTests(PLACES)

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-rules-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function promtool(...args: string[]) {
  const { status, stdout, stderr } = (await runCommand('promtool', args, '', { cwd: folder }))!
  return { status, said: stdout + stderr }
}

/** Every file of tests in a folder of its own, with the groups whose alerts it names; all of them where it names none. */
async function runTests(rules: readonly RuleGroup[]) {
  for (const { file, text, tests } of files) {
    const alerts = new Set(expectationsIn(tests).map(({ alert }) => alert))
    const isLooked = ({ alert, record }: PrometheusRule) => alerts.size === 0 || record || alerts.has(alert ?? '')
    await mkdir(join(folder, file))
    await writeFile(join(folder, file, file), text)
    await writeFile(join(folder, file, RULE_FILE), ruleFileOf(rules.filter(group => group.rules?.some(isLooked))))
  }
  return promtool('test', 'rules', ...files.map(({ file }) => join(file, file)))
}

test.runIf(hasPromtool)('the rules are what Prometheus takes, and so is the file of npm run alerts', async () => {
  const npm = await runCommand('npm', ['run', '-s', 'alerts'], '', { cwd: PLACES.root })
  expect(npm!.stdout).toBe(ruleFileOf(groups))
  await writeFile(join(folder, RULE_FILE), npm!.stdout)
  const { status, said } = await promtool('check', 'rules', '--lint=all', '--lint-fatal', RULE_FILE)
  expect(said).toMatch(/SUCCESS: \d+ rules found/)
  expect(status).toBe(0)
})

test.runIf(hasPromtool)(
  'every alert is silent, waits and fires when it should, and none while the service is well',
  async () => {
    const { status, said } = await runTests(groups)
    expect(said).not.toContain('FAILED')
    expect(status).toBe(0)
  },
)

test.runIf(hasPromtool)('what the dashboard of Grafana asks is understood', async () => {
  const expressions = expressionsIn(await readGrafanaDashboard(PLACES))
  const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }))
  await writeFile(join(folder, RULE_FILE), ruleFileOf([{ name: 'panels', rules }]))
  const { status, said } = await promtool('check', 'rules', RULE_FILE)
  expect(said).toContain(`SUCCESS: ${expressions.length} rules found`)
  expect(status).toBe(0)
})

/** Each alert changed in the same way; gives the names of those whose tests then fail. */
async function failingWith(change: (rule: PrometheusRule) => PrometheusRule): Promise<string[]> {
  const broken = groups.map(group => ({
    ...group,
    rules: group.rules!.map(rule => (rule.alert ? change(rule) : rule)),
  }))
  const { status, said } = await runTests(broken)
  expect(status).toBe(1)
  return [...new Set([...said.matchAll(/ALERTS\{alertname=\\"(\w+)\\"\}/g)].map(([, name]) => name!))].sort()
}

const names = alertsIn(groups).map(({ alert }) => alert)
const waiting = alertsIn(groups).flatMap(({ alert, for: wait }) => (wait ? [alert] : []))

test.runIf(hasPromtool).each<[string, (rule: PrometheusRule) => PrometheusRule, readonly string[]]>([
  ['never fires', rule => ({ ...rule, expr: 'vector(1) == 0' }), names],
  ['always fires', rule => ({ ...rule, expr: 'vector(1)' }), names],
  ['does not wait', ({ for: _, ...rule }) => rule, waiting],
  ['waits too long', rule => ({ ...rule, for: '5h' }), names],
])('an alert that %s is found by its tests', async (_, change, found) => {
  expect(await failingWith(change)).toEqual([...found].sort())
})
