import { expect, test } from 'vitest'
import { expectationsIn, readAlertTests } from './alert-tests.ts'
import { PLACES } from './places.ts'
import { alertsIn, type PrometheusRule, readRuleGroups } from './prometheus-rules.ts'
import { metricsIn } from './promql-names.ts'

/** Every alert says what it is, and is tested. The tests themselves are promtool's to run: tests/alert-rules.test.ts. */

const groups = await readRuleGroups(PLACES)
const alerts = alertsIn(groups)
const files = await readAlertTests(PLACES)
const expectations = expectationsIn(files.flatMap(({ tests }) => tests))

test('alerts have a name, a severity and four annotations, the last of which leads to their entry of the runbook', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
  for (const { alert, labels, annotations } of alerts) {
    expect(alert).toMatch(/^Chart[A-Z]\w+$/)
    expect(['critical', 'warning', 'info'], alert).toContain(labels?.severity)
    expect(Object.keys(annotations ?? {}), alert).toEqual(['summary', 'description', 'first_step', 'runbook'])
    expect(annotations!.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`)
    // A title, and sentences.
    expect(annotations!.summary, alert).toMatch(/^[A-Z].*[^.]$/)
    expect(annotations!.description, alert).toMatch(/^[A-Z0-9{].*\.$/)
  }
})

test('every alert is seen silent, firing, and waiting where it waits; and no other is', () => {
  const statesOf = (name: string) =>
    new Set(expectations.filter(({ alert }) => alert === name).map(({ state }) => state))
  const wanted = (rule: PrometheusRule) => new Set(['silent', 'firing', ...(rule.for ? ['pending'] : [])])
  for (const rule of alerts) expect(statesOf(rule.alert), rule.alert).toEqual(wanted(rule))
  const names = alerts.map(({ alert }) => alert)
  expect(expectations.filter(({ alert }) => !names.includes(alert))).toEqual([])
})

/** Alerts on something that has stopped; and on one that a single event is enough for. */
const LOOKING_FAR = ['ChartNoTradesAppended', 'ChartNothingPersisted', 'ChartNothingVerified', 'ChartMalformedMessages']

test('an alert that waits looks back over less than it waits for: what was over long ago would fire else', () => {
  const minutesOf = (text: string) =>
    Number.parseInt(text, 10) * { s: 1 / 60, m: 1, h: 60 }[text.at(-1) as 's' | 'm' | 'h']
  const looking = alerts.flatMap(({ alert, expr, for: wait }) => {
    const windows = [...String(expr).matchAll(/\[(\d+[smh])\]/g)].map(([, text]) => minutesOf(text!))
    return wait && windows.length > 0 ? [{ alert, isFar: Math.max(...windows) >= minutesOf(wait) }] : []
  })
  expect(looking.length).toBeGreaterThan(8)
  expect(
    looking
      .filter(({ isFar }) => isFar)
      .map(({ alert }) => alert)
      .sort(),
  ).toEqual(LOOKING_FAR.toSorted())
})

test('labels that an annotation names are on the alert when it fires', () => {
  for (const { alert, annotations } of alerts) {
    const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, name]) => name!)
    for (const { labels, state } of expectations.filter(one => one.alert === alert)) {
      if (state !== 'silent') expect(labels, alert).toEqual(expect.arrayContaining(used))
    }
  }
})

test('a service that is well has every series that a rule looks at', () => {
  const healthy = files.find(({ file }) => file === 'healthy.test.yaml')!.tests.flatMap(one => one.input_series)
  const shown = new Set(healthy.map(({ series }) => series.split('{')[0]))
  const recorded = groups.flatMap(({ rules = [] }) => rules.flatMap(({ record }) => record ?? []))
  const looked = groups.flatMap(({ rules = [] }) => rules.flatMap(({ expr }) => metricsIn(String(expr))))
  expect([...new Set(looked)].filter(name => !shown.has(name) && !recorded.includes(name))).toEqual([])
})
