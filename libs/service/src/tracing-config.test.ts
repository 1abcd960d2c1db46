import { expect, test } from 'vitest'
import { EnvReader } from './env.ts'
import { readTracingConfig } from './tracing-config.ts'

test.each([
  [{}, undefined],
  [{ OTEL_TRACES_SAMPLER_ARG: '1' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }, { url: 'http://otel:4318/v1/traces', ratio: 0.01 }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel/in/' }, { url: 'https://otel/in/v1/traces', ratio: 0.01 }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/x' },
    { url: 'http://b/x', ratio: 0.01 },
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'TRUE' }, undefined],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_SAMPLER_ARG: '0.5' },
    { url: 'http://a/v1/traces', ratio: 0.5 },
  ],
])('%j gives %j', (env, config) => {
  expect(readTracingConfig(new EnvReader(env))).toEqual(config)
})

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'otel:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http:/],
  [{ OTEL_TRACES_SAMPLER_ARG: '2' }, /^OTEL_TRACES_SAMPLER_ARG "2" cannot be used: wanted a number from 0 to 1/],
  [{ OTEL_TRACES_SAMPLER_ARG: 'all' }, /^OTEL_TRACES_SAMPLER_ARG "all" cannot be used: wanted a number from 0 to 1/],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL must be one of http\/json, http\/protobuf/],
])('%j is refused, with the variable and the wanted form', (env, message) => {
  const reader = new EnvReader({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', ...env })
  expect(() => readTracingConfig(reader)).toThrow(message)
})
