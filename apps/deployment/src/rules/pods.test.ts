import { breaks } from './broken-rendering.testing.ts'

const POD = 'spec.template.spec'
const APP = `${POD}.containers.0`

breaks('probes', [
  ['Deployment/edge', `${APP}.livenessProbe`, undefined, 'has no livenessProbe'],
  ['Deployment/ingestor', `${APP}.startupProbe`, undefined, 'has no startupProbe'],
  ['StatefulSet/redis', `${APP}.readinessProbe`, undefined, 'has no readinessProbe'],
  ['Deployment/persister', `${APP}.livenessProbe.httpGet.path`, '/readyz', 'hang on others'],
  [
    'Deployment/edge',
    `${APP}.livenessProbe`,
    { grpc: { port: 50051, service: 'chart.v1.ChartService' } },
    'hang on others',
  ],
  [
    'Deployment/auditor',
    `${APP}.readinessProbe`,
    { httpGet: { path: '/livez', port: 'health', scheme: 'HTTP' } },
    'the same for ready and alive',
  ],
  ['Deployment/auditor', `${APP}.livenessProbe.httpGet.port`, 'helth', 'asks port helth'],
])

breaks('podSecurity', [
  ['Deployment/edge', `${APP}.securityContext.privileged`, true, 'is privileged'],
  ['Deployment/edge', `${POD}.securityContext.runAsNonRoot`, false, 'may run as root'],
  ['StatefulSet/redis', `${POD}.securityContext.runAsUser`, 0, 'runs as user 0'],
  ['Job/migrate', `${POD}.securityContext.seccompProfile`, undefined, 'no seccompProfile'],
  ['Deployment/edge', `${APP}.securityContext.capabilities`, {}, 'keeps capabilities'],
  ['Deployment/edge', `${APP}.securityContext.capabilities.add`, ['SYS_ADMIN'], 'SYS_ADMIN'],
  ['Deployment/edge', `${APP}.securityContext.readOnlyRootFilesystem`, false, 'write to its root'],
  ['Deployment/edge', `${APP}.securityContext.allowPrivilegeEscalation`, undefined, 'gain privileges'],
  ['Deployment/edge', `${POD}.hostNetwork`, true, 'has hostNetwork'],
  ['Deployment/edge', `${APP}.ports.0.hostPort`, 443, 'a port of its host'],
  ['Deployment/edge', `${POD}.volumes.+`, { name: 'x', hostPath: { path: '/' } }, 'is a hostPath'],
  ['Namespace/chart', ['metadata', 'labels', 'pod-security.kubernetes.io/enforce'], 'baseline', 'is not restricted'],
])

breaks('resources', [
  ['Deployment/edge', `${APP}.resources.requests.cpu`, undefined, 'requests no cpu'],
  ['CronJob/backup', 'spec.jobTemplate.spec.template.spec.containers.0.resources', {}, 'requests no memory'],
  ['StatefulSet/redis', `${APP}.resources.limits`, undefined, 'no limit of memory'],
  ['Deployment/edge', `${APP}.resources.requests.memory`, '8Gi', 'more memory than its limit'],
])

breaks('nodeHeap', [
  ['Deployment/edge', `${APP}.env`, [], 'does not say how large its heap'],
  ['Deployment/edge', `${APP}.env.0.value`, '--max-old-space-size-percentage=90', 'may be 90 %'],
  ['Deployment/aggregator', `${APP}.env.0.value`, '--max-old-space-size=1024', 'may be 200 %'],
])

breaks('stopping', [
  ['Deployment/edge', `${POD}.terminationGracePeriodSeconds`, 20, 'is killed 20 s after'],
  ['StatefulSet/postgres', `${POD}.terminationGracePeriodSeconds`, undefined, 'an unsaid number'],
])

breaks('priorities', [['Deployment/edge', `${POD}.priorityClassName`, undefined, 'has no priority']])
