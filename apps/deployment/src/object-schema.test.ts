import { expect, test } from 'vitest'
import { changed } from './changed.testing.ts'
import { schemaFindings } from './object-schema.ts'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'edge', labels: { any: 'thing' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'edge' } },
    template: {
      metadata: { labels: { app: 'edge' } },
      spec: {
        containers: [
          {
            name: 'edge',
            image: 'chart/edge:1',
            resources: { limits: { memory: '1Gi', cpu: 1 } },
            ports: [{ name: 'grpc', containerPort: 50_051 }],
            livenessProbe: { httpGet: { path: '/livez', port: 'health' } },
            volumeMounts: [{ name: 'keys', mountPath: '/etc/chart/keys' }],
          },
        ],
        volumes: [{ name: 'keys', secret: { secretName: 'edge-keys', items: [{ key: 'a', path: 'a' }] } }],
      },
    },
  },
}

test('what the API takes is found valid', async () => {
  expect(await schemaFindings(deployment)).toEqual([])
})

const CONTAINER = 'spec.template.spec.containers.0'

test.each<[string, string, unknown, string]>([
  ['a misspelt field deep down', `${CONTAINER}.imag`, 'x', 'no field spec.template.spec.containers[0].imag'],
  ['a field in the wrong place', 'spec.containers', [], 'no field spec.containers'],
  ['a field at the top', 'specs', {}, 'no field specs'],
  ['a misspelt field of metadata', 'metadata.lables', {}, 'no field metadata.lables'],
  ['an only field that is misspelt', 'spec.strategy', { typ: 'Recreate' }, 'no field spec.strategy.typ'],
  ['text for a number', 'spec.replicas', '2', 'spec.replicas must be integer'],
  ['a fraction for a whole number', 'spec.replicas', 1.5, 'spec.replicas must be integer'],
  ['a number for text', 'spec.template.metadata.labels.app', 5, 'labels.app must be string'],
  ['a quantity that is none', `${CONTAINER}.resources.limits.memory`, '1Gb', 'quantity'],
  ['a missing field', 'spec.selector', undefined, 'required property selector'],
  ['a value that is no choice', `${CONTAINER}.imagePullPolicy`, 'Often', 'allowed values'],
  ['a kind of another group', 'apiVersion', 'batch/v1', 'no Deployment in batch/v1'],
  ['a version that is gone', 'apiVersion', 'apps/v1beta1', 'no Deployment in apps/v1beta1'],
  ['no name', 'metadata.name', undefined, 'metadata.name is missing'],
])('refused: %s', async (_, path, value, what) => {
  const findings = await schemaFindings(changed(deployment, path, value))
  expect(findings.map(finding => finding.what).join('\n')).toContain(what)
})

test('objects of operators are held to their schemas too', async () => {
  const scaled = (trigger: object) => ({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'edge' },
    spec: { scaleTargetRef: { name: 'edge' }, triggers: [{ type: 'cpu', metadata: { value: '60' }, ...trigger }] },
  })
  expect(await schemaFindings(scaled({ metricType: 'Utilization' }))).toEqual([])
  expect(await schemaFindings(scaled({ metrik: 'Utilization' }))).toMatchObject([
    { what: 'there is no field spec.triggers[0].metrik' },
  ])
  const monitor = (endpoint: object) => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: 'apps' },
    spec: { selector: { matchLabels: { a: 'b' } }, podMetricsEndpoints: [{ port: 'health', ...endpoint }] },
  })
  expect(await schemaFindings(monitor({ interval: '15s' }))).toEqual([])
  expect(await schemaFindings(monitor({ intervall: '15s' }))).toMatchObject([
    { what: 'there is no field spec.podMetricsEndpoints[0].intervall' },
  ])
  expect(await schemaFindings(monitor({ interval: 15 }))).not.toEqual([])
})
