import { breaks } from './broken-rendering.testing.ts'

breaks('networkDenial', [
  ['NetworkPolicy/default-deny', '', undefined, 'none denies Ingress'],
  ['NetworkPolicy/default-deny', 'spec.policyTypes', ['Ingress'], 'none denies Egress'],
  ['NetworkPolicy/to-dns', 'spec.egress', [{}], 'lets every Egress through'],
  ['Deployment/edge', 'spec.template.metadata.labels', { app: 'edge' }, 'has no NetworkPolicy of its own'],
])

breaks('networkPorts', [
  ['NetworkPolicy/edge', '', undefined, 'anybody reach port grpc'],
  ['NetworkPolicy/edge', 'spec.ingress.0.ports.0.port', 50052, 'anybody reach port grpc'],
])

breaks('networkPorts', [['NetworkPolicy/from-monitoring', '', undefined, 'anybody reach port health']], 'production')

breaks('networkWays', [
  ['NetworkPolicy/to-redis', '', undefined, 'leads to redis:6379, to which no policy'],
  ['NetworkPolicy/to-edge', '', undefined, 'CHART_ADDRESS leads to edge.chart:50051, to which no policy'],
  ['NetworkPolicy/redis', '', undefined, 'where no policy lets it in (StatefulSet/redis)'],
  ['NetworkPolicy/to-dns', '', undefined, 'may not ask for names (UDP 53)'],
  ['ConfigMap/exchange', 'data.BINANCE_STREAM_URL', 'wss://stream.example:1', 'stream.example:1, which no policy'],
  [
    'ConfigMap/service',
    'data.OTEL_EXPORTER_OTLP_ENDPOINT',
    'http://collector:4318',
    'collector:4318, which is no Service',
  ],
  ['Service/redis', 'spec.ports.0.port', 6380, 'no port of that Service'],
])

breaks('networkWays', [['NetworkPolicy/to-postgres', '', undefined, 'DATABASE_URL leads to']], 'production')

breaks('networkExcess', [
  [
    'NetworkPolicy/to-postgres',
    'spec.podSelector.matchExpressions',
    undefined,
    'Deployment/aggregator: may go out to port 5432',
  ],
  ['NetworkPolicy/to-redis', 'spec.egress.+', { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }, 'may go out to port any'],
])

breaks('services', [
  ['Service/edge', ['spec', 'selector', 'app.kubernetes.io/name'], 'egde', 'selects no pods'],
  ['Service/edge', 'spec.ports.0.targetPort', 'http', 'leads to port http'],
])
