import type { EnvReader } from './env.ts'
import { readTracingConfig, type TracingConfig } from './tracing-config.ts'

/** Variables that every process reads. */
export interface ServiceConfig {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  readonly healthPort: number
  /** Address that the health port listens on. */
  readonly healthHost: string
  /** Undefined: no traces. */
  readonly tracing: TracingConfig | undefined
}

export function readServiceConfig(env: EnvReader): ServiceConfig {
  return {
    logLevel: env.choice('LOG_LEVEL', 'info', ['debug', 'info', 'warn', 'error']),
    healthPort: env.integer('HEALTH_PORT', 9090, { min: 0, max: 65_535 }),
    healthHost: env.text('HEALTH_HOST', '0.0.0.0'),
    tracing: readTracingConfig(env),
  }
}
