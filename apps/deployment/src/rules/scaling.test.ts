import { breaks } from './broken-rendering.testing.ts'

const POD = 'spec.template.spec'

breaks('disruptionBudgets', [
  ['PodDisruptionBudget/edge', 'spec.maxUnavailable', 0, 'allows no eviction'],
  [
    'PodDisruptionBudget/ingestor',
    'spec',
    { minAvailable: 2, selector: { matchLabels: { 'app.kubernetes.io/name': 'ingestor' } } },
    'allows no eviction when 2',
  ],
  [
    'PodDisruptionBudget/ingestor',
    'spec',
    { minAvailable: '51%', selector: { matchLabels: { 'app.kubernetes.io/name': 'ingestor' } } },
    'allows no eviction when 2',
  ],
  ['PodDisruptionBudget/edge', 'spec.maxUnavailable', '100%', 'lets all of 2'],
  [
    'PodDisruptionBudget/edge',
    ['spec', 'selector', 'matchLabels', 'app.kubernetes.io/name'],
    'egde',
    'selects nothing',
  ],
  [
    'PodDisruptionBudget/edge',
    ['spec', 'selector', 'matchLabels', 'app.kubernetes.io/name'],
    undefined,
    'selects Deployment/',
  ],
  ['PodDisruptionBudget/aggregator', '', undefined, 'has no PodDisruptionBudget'],
])

breaks('autoscaling', [
  ['HorizontalPodAutoscaler/edge', 'spec.scaleTargetRef.name', 'edges', 'scales Deployment/edges'],
  ['Deployment/edge', 'spec.replicas', 3, 'says replicas and is scaled'],
  ['HorizontalPodAutoscaler/edge', 'spec.minReplicas', 99, 'at least 99'],
  ['HorizontalPodAutoscaler/edge', 'spec.minReplicas', 0, 'scale to nothing'],
  ['HorizontalPodAutoscaler/edge', 'spec.scaleTargetRef.name', 'aggregator', 'is the second'],
])

breaks('topologySpread', [
  ['Deployment/ingestor', `${POD}.topologySpreadConstraints`, undefined, 'all its pods on one node'],
  [
    'Deployment/ingestor',
    `${POD}.topologySpreadConstraints.0.matchLabelKeys`,
    undefined,
    'counts the pods of Deployment/',
  ],
  ['Deployment/edge', `${POD}.topologySpreadConstraints.0.labelSelector.matchLabels`, { a: 'b' }, 'pods of nobody'],
])

breaks('knownMetrics', [
  ['HorizontalPodAutoscaler/edge', 'spec.metrics.1.pods.metric.name', 'chart_edge_stream', 'reads chart_edge_stream,'],
])

breaks(
  'knownMetrics',
  [
    [
      'PrometheusRule/chart-recording',
      'spec.groups.0.rules.0.expr',
      'rate(chart_edge_bars[1m])',
      'reads chart_edge_bars,',
    ],
  ],
  'production',
)

breaks(
  'monitors',
  [
    ['ServiceMonitor/chart', 'spec.endpoints.0.port', 'metrics', 'asks port metrics'],
    ['ServiceMonitor/chart', 'spec.selector.matchLabels', { a: 'b' }, 'selects nothing'],
  ],
  'production',
)
