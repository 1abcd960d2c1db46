import { readConfig as readAggregatorConfig } from '@chart/aggregator/config'
import { readConfig as readAuditorConfig } from '@chart/auditor/config'
import { readConfig as readDashboardConfig } from '@chart/dashboard/config'
import { readConfig as readEdgeConfig } from '@chart/edge/config'
import { readConfig as readSimulatorConfig } from '@chart/exchange-simulator/config'
import { readConfig as readIngestorConfig } from '@chart/ingestor/config'
import { readDatabaseUrl, readConfig as readPersisterConfig } from '@chart/persister/config'
import { type Environment, EnvReader } from '@chart/service'

/** A program of an image: what it reads of its environment, told by its own config. */
export interface Program {
  /** Names that it may read, in any of its branches. */
  readonly variables: ReadonlySet<string>
  /** Reads its config, as at its start. @throws an error that names the variable and the wanted form */
  readonly readConfig: (env: Environment) => void
}

type ReadConfig = (env: Environment) => unknown

/**
 * A config reads some variables only where others are set: with the first environment an edge asks for its keys' file, the second one
 * leads past that and into the settings of traces.
 */
const ENVIRONMENTS: readonly Environment[] = [{}, { AUTH: 'off', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }]

/** The collector's address, with which traces are on. */
const TRACES = 'OTEL_EXPORTER_OTLP_ENDPOINT'

/** What OpenTelemetry itself reads, once traces are on. */
const READ_BY_OPENTELEMETRY = [
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_EXPORTER_OTLP_CERTIFICATE',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_EXPORTER_OTLP_COMPRESSION',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
]

/** What Node itself reads: the size of its heap, and issuers to trust besides the world's. */
const READ_BY_NODE = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']

/** By the last part of the image's name and the file that Node runs. */
const CONFIGS: Readonly<Record<string, ReadConfig>> = {
  'ingestor src/main.ts': env => readIngestorConfig(new EnvReader(env)),
  'aggregator src/main.ts': env => readAggregatorConfig(new EnvReader(env)),
  'persister src/main.ts': env => readPersisterConfig(new EnvReader(env)),
  'persister src/migrate.ts': env => readDatabaseUrl(new EnvReader(env)),
  'auditor src/main.ts': env => readAuditorConfig(new EnvReader(env)),
  'edge src/main.ts': env => readEdgeConfig(new EnvReader(env)),
  'dashboard src/main.ts': env => readDashboardConfig(new EnvReader(env)),
  'exchange-simulator src/main.ts': env => readSimulatorConfig(env),
}

/** Our programs by the name of image and file, such as `persister src/migrate.ts`. */
export function openPrograms(): ReadonlyMap<string, Program> {
  return new Map(
    Object.entries(CONFIGS).map(([name, readConfig]) => [name, { variables: namesIn(readConfig), readConfig }]),
  )
}

function namesIn(readConfig: ReadConfig): ReadonlySet<string> {
  const names = new Set<string>(READ_BY_NODE)
  for (const given of ENVIRONMENTS) {
    const env = new Proxy(given, {
      get(target, name) {
        if (typeof name === 'string') names.add(name)
        return Reflect.get(target, name)
      },
    })
    try {
      readConfig(env)
    } catch {
      // Something that has no default was not there; what was read until then is known.
    }
  }
  if (names.has(TRACES)) for (const name of READ_BY_OPENTELEMETRY) names.add(name)
  return names
}
