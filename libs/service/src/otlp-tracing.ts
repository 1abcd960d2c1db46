import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Context,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Log } from './log.ts'
import type { Span, SpanAttributes, Tracer, Tracing } from './tracer.ts'
import type { TracingConfig } from './tracing-config.ts'

/** Spans that wait to be sent, some 2 MB; what comes when they are full is dropped. */
const WAITING_SPANS_MAX = 2_048
/** How long spans wait for others to be sent with. */
const SEND_EVERY_MS = 1_000
/** A collector that takes longer has failed, and the spans it was sent are gone. */
const SEND_TIMEOUT_MS = 5_000
/** Spans not sent this long after everything else has ended are given up: a process must not outlive its stop for them. */
const CLOSE_TIMEOUT_MS = 2_000

/** Version, trace, span, flags: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/

/** Spans by OpenTelemetry, sent to a collector as OTLP over HTTP. This file alone knows of it. */
export function openOtlpTracing(name: string, { url, ratio }: TracingConfig, log: Log): Tracing {
  const exporter = tellingOutages(new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS }), url, log)
  const provider = new TracerProvider({
    // What the environment says of the resource, its name among it, comes before ours.
    resource: resourceFromAttributes({
      'service.name': `chart-${name}`,
      'service.instance.id': `${process.pid}`,
    }).merge(detectResources({ detectors: [envDetector] })),
    // Whether a trace is taken was decided before its first span is made.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: WAITING_SPANS_MAX,
        maxExportBatchSize: WAITING_SPANS_MAX / 4,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_TIMEOUT_MS,
      }),
    ],
  })
  log.info({ collector: new URL(url).host, ratio }, 'traces are sent')
  return {
    tracer: tracerOf(provider.getTracer('chart'), ratio),
    async close() {
      const closing = provider.shutdown().catch(() => undefined)
      await Promise.race([closing, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    },
  }
}

function tracerOf(otel: OtelTracer, ratio: number): Tracer {
  const start = (name: string, attributes: SpanAttributes | undefined, parent: Context): Span => {
    const span = otel.startSpan(name, attributes === undefined ? {} : { attributes }, parent)
    const { traceId, spanId } = span.spanContext()
    return {
      traceparent: `00-${traceId}-${spanId}-01`,
      end(more, error) {
        if (more !== undefined) span.setAttributes(more)
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
        span.end()
      },
    }
  }
  return {
    begin: (name, attributes) => (Math.random() < ratio ? start(name, attributes, ROOT_CONTEXT) : undefined),
    follow(name, traceparent, attributes) {
      if (traceparent === undefined) return undefined
      const parent = contextOf(traceparent)
      return parent && start(name, attributes, parent)
    },
  }
}

/** It came out of Redis, where anything may stand. */
function contextOf(traceparent: string): Context | undefined {
  const match = TRACEPARENT.exec(traceparent)
  if (match === null) return undefined
  const remote = { traceId: match[1]!, spanId: match[2]!, traceFlags: TraceFlags.SAMPLED, isRemote: true }
  return trace.setSpanContext(ROOT_CONTEXT, remote)
}

/** Says once that a collector takes nothing, and once that it does again: the spans in between are lost, and nothing else is. */
function tellingOutages(exporter: SpanExporter, url: string, log: Log): SpanExporter {
  const collector = new URL(url).host
  let isDown = false
  return {
    export(spans, done) {
      exporter.export(spans, result => {
        const failed = result.error !== undefined
        if (failed && !isDown) {
          log.warn(
            { collector, reason: messageOf(result.error) },
            'traces cannot be sent; they are dropped until they can',
          )
        }
        if (!failed && isDown) log.info({ collector }, 'traces are sent again')
        isDown = failed
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
