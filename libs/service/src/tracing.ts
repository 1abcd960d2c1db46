import type { Log } from './log.ts'
import { NO_TRACES, type Tracing } from './tracer.ts'
import type { TracingConfig } from './tracing-config.ts'

/** Traces of process `name`, as configured. OpenTelemetry is loaded only when they are on. */
export async function openTracing(name: string, config: TracingConfig | undefined, log: Log): Promise<Tracing> {
  if (config === undefined) return { tracer: NO_TRACES, close: async () => undefined }
  const { openOtlpTracing } = await import('./otlp-tracing.ts')
  return openOtlpTracing(name, config, log)
}
