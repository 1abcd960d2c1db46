import { breaks } from './broken-rendering.testing.ts'

const POD = 'spec.template.spec'
const APP = `${POD}.containers.0`

breaks('variableNames', [
  ['ConfigMap/edge', 'data.STREAM_MAX', '10', 'given STREAM_MAX (ConfigMap/edge'],
  ['ConfigMap/service', 'data.FEED_SHARDS', '2', 'given FEED_SHARDS'],
  ['Deployment/edge', `${APP}.env.0.name`, 'NODE_OPTS', 'given NODE_OPTS (env)'],
  ['Job/migrate', `${APP}.env.0`, { name: 'LOG_LEVEL', value: 'info' }, 'given LOG_LEVEL'],
])

breaks('variableValues', [
  ['ConfigMap/symbols', 'data.SYMBOLS', 'btcusdt', 'SYMBOLS has "btcusdt"'],
  ['ConfigMap/intervals', 'data.PERSISTED_INTERVALS', '1m,2h', 'PERSISTED_INTERVALS has 2h'],
  ['ConfigMap/edge', 'data.API_KEYS_FILE', undefined, 'set API_KEYS_FILE'],
  ['ConfigMap/auditor', 'data.AUDIT_WEIGHT', 'many', 'AUDIT_WEIGHT must be'],
  ['Deployment/aggregator', `${APP}.envFrom`, [], 'is not given REDIS_URL'],
  ['ConfigMap/dashboard', 'data.CHART_ADDRESS', undefined, 'is not given CHART_ADDRESS'],
  ['Deployment/edge', `${APP}.args`, ['src/mian.ts'], 'no config is known'],
  ['Deployment/edge', `${APP}.image`, 'acme/gateway:1', 'of acme/gateway:1, of which no config is known'],
])

breaks('writtenDefaults', [
  ['Deployment/edge', `${POD}.volumes.0.configMap.defaultMode`, undefined, 'leaves the mode of the volume authorities'],
  ['StatefulSet/redis', `${POD}.volumes.1.secret.defaultMode`, undefined, 'leaves the mode of the volume acl'],
  ['Deployment/edge', `${APP}.livenessProbe.httpGet.scheme`, undefined, 'the scheme of its livenessProbe'],
])

breaks('references', [
  ['Deployment/edge', `${POD}.volumes.0.secret`, { secretName: 'edge-key' }, 'Secret/edge-key, which is not there'],
  ['ConfigMap/symbols', '', undefined, 'names ConfigMap/symbols-'],
  [
    'CronJob/backup',
    'spec.jobTemplate.spec.template.spec.containers.0.env.+',
    { name: 'A', valueFrom: { secretKeyRef: { name: 'postgres', key: 'PASSWORT' } } },
    'the key PASSWORT of Secret/postgres',
  ],
  [
    'StatefulSet/redis',
    `${POD}.volumes.+`,
    { name: 'x', secret: { secretName: 'redis', items: [{ key: 'acl', path: 'a' }] } },
    'the key acl of Secret/redis',
  ],
  ['ServiceAccount/edge', '', undefined, 'names ServiceAccount/edge'],
  ['PriorityClass/chart-live', '', undefined, 'names PriorityClass/chart-live'],
  ['PersistentVolumeClaim/backup', '', undefined, 'names PersistentVolumeClaim/backup'],
])

breaks('mounts', [
  ['Deployment/edge', `${APP}.volumeMounts.0.name`, 'kees', 'mounts kees'],
  ['ConfigMap/edge', 'data.API_KEYS_FILE', '/etc/keys.json', 'nothing is mounted there'],
  ['ConfigMap/edge', 'data.API_KEYS_FILE', '/etc/chart/keys/key.json', 'has keys.json'],
])

breaks('mounts', [['Deployment/edge', `${APP}.volumeMounts`, [], 'nothing is mounted there']], 'production')

breaks('rollouts', [
  ['Deployment/edge', ['spec', 'template', 'metadata', 'annotations'], {}, 'goes on with old Secrets'],
  ['Deployment/edge', `${APP}.envFrom.0.configMapRef.name`, 'intervals', 'does not change with its content'],
])

breaks('noSecrets', [
  ['Service/edge', '', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }, 'Secret/x: is rendered'],
  ['ConfigMap/exchange', 'data.BINANCE_API_URL', 'https://me:pass@host', 'holds a password'],
  ['ConfigMap/edge', 'data.KEY', 'ck_desk_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'holds a password or key'],
])

breaks('edgeCalls', [
  ['ConfigMap/dashboard', 'data.CHART_KEY_IN_PLAIN_TEXT', undefined, 'does not send its key in plain text'],
  ['ConfigMap/edge', 'data.GRPC_TLS_CERT_FILE', '/etc/chart/tls/tls.crt', 'in plain text, which speak TLS'],
  ['Deployment/dashboard', `${APP}.envFrom.2.secretRef`, undefined, 'has no key for edges'],
])

breaks(
  'edgeCalls',
  [
    ['ConfigMap/edge', 'data.GRPC_TLS_CERT_FILE', undefined, 'by TLS, which speak plain text'],
    ['ConfigMap/dashboard', 'data.CHART_TLS', undefined, 'in plain text, which speak TLS'],
  ],
  'production',
)
