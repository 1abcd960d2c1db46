import { breaks } from './broken-rendering.testing.ts'

const POD = 'spec.template.spec'
const APP = `${POD}.containers.0`

breaks('images', [
  ['Deployment/edge', `${APP}.image`, 'chart/edge:latest', 'another one tomorrow'],
  ['StatefulSet/redis', `${APP}.image`, 'registry:5000/redis', 'another one tomorrow'],
])

breaks('labels', [
  ['Service/edge', ['metadata', 'labels', 'app.kubernetes.io/name'], undefined, 'has no label app.kubernetes.io/name'],
  ['Service/edge', ['metadata', 'labels', 'app.kubernetes.io/part-of'], 'charts', 'part-of: charts'],
  ['Service/edge', ['metadata', 'labels', 'app.kubernetes.io/component'], 'web', 'component: web'],
  [
    'Deployment/edge',
    ['spec', 'template', 'metadata', 'labels', 'app.kubernetes.io/version'],
    undefined,
    'no label app.kubernetes.io/version',
  ],
  [
    'Deployment/edge',
    ['spec', 'selector', 'matchLabels', 'app.kubernetes.io/version'],
    '0.1.0',
    'selects by app.kubernetes.io/version',
  ],
  [
    'Deployment/edge',
    ['spec', 'selector', 'matchLabels', 'app.kubernetes.io/name'],
    'egde',
    'does not match its own pods',
  ],
  ['NetworkPolicy/to-redis', ['metadata', 'labels', 'app.kubernetes.io/component'], 'monitoring', 'is a way out'],
])

breaks('uniqueNames', [
  [
    'Service/edge',
    '',
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'edge', namespace: 'chart' } },
    'Service/edge: is there twice',
  ],
  ['Service/edge', 'metadata.namespace', undefined, 'is in the namespace undefined'],
  ['ConfigMap/edge', 'metadata.namespace', 'default', 'is in the namespace default'],
])

breaks('serviceAccounts', [
  ['ServiceAccount/edge', 'automountServiceAccountToken', undefined, 'hands out its token'],
  ['Deployment/edge', `${POD}.automountServiceAccountToken`, true, 'is given a token'],
  ['Deployment/edge', `${POD}.serviceAccountName`, undefined, 'shares the account'],
])

breaks('jobs', [
  ['Job/migrate', 'spec.backoffLimit', undefined, 'has no backoffLimit'],
  ['CronJob/backup', 'spec.jobTemplate.spec.activeDeadlineSeconds', undefined, 'may run for ever'],
  ['Job/migrate', 'spec.ttlSecondsAfterFinished', 60, 'removes itself'],
  ['CronJob/backup', 'spec.concurrencyPolicy', 'Allow', 'twice at a time'],
  ['CronJob/backup', 'spec.startingDeadlineSeconds', undefined, 'how late it may start'],
  ['Job/migrate', `${POD}.restartPolicy`, 'Always', 'no restartPolicy of a job'],
])
