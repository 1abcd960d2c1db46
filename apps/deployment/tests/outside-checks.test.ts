import { writeFolder } from '@chart/testkit'
import { expect, test } from 'vitest'
import type { KubeObject } from '../src/kube-object.ts'
import { outsideChecks } from '../src/outside-checks.ts'

const objects = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'b' } },
] as KubeObject[]

/** A tool that says how many documents it was given, and refuses where a file says so. */
const toolOf = (status: number) => `
  import { readFileSync } from 'node:fs'
  const documents = readFileSync(0, 'utf8').split('\\n---\\n').map(text => JSON.parse(text).kind)
  console.error('problem in ' + documents)
  process.exit(${status})`

test('a tool of the machine is given what is of Kubernetes itself, and what it says is found', async () => {
  await using folder = await writeFolder({ 'k8s-validate.mjs': toolOf(1) })
  const tools = folder.paths['k8s-validate.mjs'].replace('/k8s-validate.mjs', '')
  const [validate] = await outsideChecks(objects, { tools, asksCluster: false })
  expect(validate).toMatchObject({ skipped: undefined, findings: [{ what: 'problem in ConfigMap' }] })
})

test('a tool that is content finds nothing', async () => {
  await using folder = await writeFolder({ 'k8s-validate.mjs': toolOf(0) })
  const tools = folder.paths['k8s-validate.mjs'].replace('/k8s-validate.mjs', '')
  const [validate] = await outsideChecks(objects, { tools, asksCluster: false })
  expect(validate).toMatchObject({ skipped: undefined, findings: [] })
})

test('what is not asked says why', async () => {
  const checks = await outsideChecks(objects, { tools: '/nowhere', asksCluster: false })
  expect(checks.find(({ name }) => name === 'k8s-validate.mjs')?.skipped).toContain('CHART_TOOLS')
  expect(checks.find(({ name }) => name === 'the API server')?.skipped).toContain('CHECK_CLUSTER=1')
})
