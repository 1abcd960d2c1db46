import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { titleOf } from './kube-object.ts'
import { linksIn, sectionsOf } from './markdown.ts'
import { metricNames } from './metric-names.ts'
import { PLACES } from './places.ts'
import { alertsIn, readRuleGroups } from './prometheus-rules.ts'
import { readObjects } from './read-objects.ts'
import { renderedFileOf } from './rendered-file.ts'

/** What the runbook names is there: alerts, places that it links to, metrics, objects of the cluster, commands, lines of logs. */

const FILE = join(PLACES.root, 'docs/runbook.md')
const text = readFileSync(FILE, 'utf8')
const sections = sectionsOf(text)
const groups = await readRuleGroups(PLACES)
/** The first steps of alerts name the same things. */
const steps = alertsIn(groups).map(({ annotations }) => annotations?.first_step ?? '')
const entries = sections.filter(({ heading }) => /^Chart[A-Z]/.test(heading))

const named = [text, ...steps].join('\n')
const all = (pattern: RegExp) => [...new Set([...named.matchAll(pattern)].map(([, found]) => found!))]

test('every alert has one entry, and every entry an alert', () => {
  expect(entries.map(({ heading }) => heading).sort()).toEqual(
    alertsIn(groups)
      .map(({ alert }) => alert)
      .sort(),
  )
})

test('an entry says what users see, where to look, what to do, and when it is over', () => {
  for (const { heading, text: entry } of entries) {
    const parts = [...entry.matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, part]) => part)
    expect(parts, heading).toEqual(['Users see', 'Look', 'Do', 'Over when'])
  }
})

test('no two headings have the same anchor, and links lead to headings that are there', () => {
  const anchors = sections.map(({ anchor }) => anchor)
  expect(new Set(anchors).size).toBe(anchors.length)
  const dead = linksIn(text).filter(link => {
    const [path, anchor] = link.split('#')
    const file = path ? join(dirname(FILE), path) : FILE
    if (!existsSync(file)) return true
    return anchor !== undefined && !sectionsOf(readFileSync(file, 'utf8')).some(one => one.anchor === anchor)
  })
  expect(dead).toEqual([])
})

test('metrics that it names are shown or recorded', () => {
  const shown = [...metricNames()].map(name => name.replace(/_(?:bucket|sum|count)$/, ''))
  const recorded = groups.flatMap(({ rules = [] }) => rules.flatMap(({ record }) => record ?? []))
  const names = all(/\b((?:chart|nodejs|process)_[a-z0-9_]+)/g)
  expect(names.length).toBeGreaterThan(40)
  expect(names.filter(name => !shown.includes(name) && !recorded.includes(name))).toEqual([])
})

test('objects that it names are in the cluster', () => {
  const objects = ['local', 'production'].flatMap(overlay =>
    readObjects(readFileSync(renderedFileOf(overlay, PLACES), 'utf8'), overlay),
  )
  const contract = readObjects(readFileSync(PLACES.secrets, 'utf8'), PLACES.secrets)
  const titles = new Set([...objects, ...contract].map(titleOf))
  const used = [
    ...all(/deployment[ /]([a-z]+)/g).map(name => `Deployment/${name}`),
    ...all(/app\.kubernetes\.io\/name=([a-z]+)/g).map(name => `Deployment/${name}`),
    ...all(/hpa ([a-z]+)/g).map(name => `HorizontalPodAutoscaler/${name}`),
    ...all(/exec (?:-it )?([a-z]+)-0/g).map(name => `StatefulSet/${name}`),
    ...all(/(?:get secret |Secret `)([a-z-]+)/g).map(name => `Secret/${name}`),
    ...all(/NetworkPolicy `([a-z-]+)`/g).map(name => `NetworkPolicy/${name}`),
  ]
  expect(used.length).toBeGreaterThan(12)
  expect(used.filter(title => !titles.has(title))).toEqual([])
})

test('lines of logs that it quotes are written somewhere', () => {
  const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: PLACES.root })
    .filter(file => !file.endsWith('.test.ts'))
    .map(file => readFileSync(join(PLACES.root, file), 'utf8'))
    .join('\n')
  const quotes = [...all(/`([a-z][a-z]+(?: [a-z]+){1,9})`/g), ...all(/grep "([^"]+)"/g)].filter(
    quote => !/^(?:kubectl|npx|up) /.test(quote),
  )
  expect(quotes.length).toBeGreaterThan(10)
  expect(quotes.filter(quote => !sources.includes(quote))).toEqual([])
})

test('logs are asked of all pods, and for all lines: of a Deployment kubectl shows one pod, of a selector ten lines', () => {
  const asked = all(/kubectl -n chart (logs [^`"|\n]*)/g)
  expect(asked.filter(command => command.includes('deployment/'))).toEqual([])
  const selected = asked.filter(command => command.includes('-l '))
  expect(selected.length).toBeGreaterThan(8)
  expect(selected.filter(command => !/ --prefix --tail=-1 --since=\d+[mh]/.test(command))).toEqual([])
})

test('commands of chart that it names are there', () => {
  const commands = all(/npx chart ([a-z]+)/g)
  expect(commands.length).toBeGreaterThan(4)
  expect(commands.filter(name => !existsSync(join(PLACES.root, `apps/cli/src/${name}.ts`)))).toEqual([])
})
