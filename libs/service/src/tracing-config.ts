import type { EnvReader } from './env.ts'

/** Traces are on; how many, and where they go. */
export interface TracingConfig {
  /** Where spans are posted, as OTLP in JSON. */
  readonly url: string
  /** The part of all traces that is taken, from 0 to 1. */
  readonly ratio: number
}

/** One log entry in a hundred: at 1,000 entries a second ten traces, of some four spans each. */
const RATIO_DEFAULT = '0.01'

/**
 * OpenTelemetry's own variables. Those of the exporter (headers, certificates, timeout, compression) and of the resource are read by
 * OpenTelemetry itself.
 * @throws ConfigError
 */
export function readTracingConfig(env: EnvReader): TracingConfig | undefined {
  const url = urlOf(env)
  if (url === undefined || env.text('OTEL_SDK_DISABLED', 'false').toLowerCase() === 'true') return undefined
  // A collector that takes protobuf over HTTP takes JSON at the same place; one for gRPC listens at another port.
  env.choice('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json', ['http/json', 'http/protobuf'])
  return { url, ratio: env.parsed('OTEL_TRACES_SAMPLER_ARG', RATIO_DEFAULT, ratioOf) }
}

function urlOf(env: EnvReader): string | undefined {
  const traces = env.optionalUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ['http', 'https'])
  if (traces !== undefined) return traces
  const base = env.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT', ['http', 'https'])
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}

function ratioOf(text: string): number {
  const ratio = Number(text)
  if (text === '' || !(ratio >= 0 && ratio <= 1)) throw new RangeError('wanted a number from 0 to 1, such as 0.01')
  return ratio
}
