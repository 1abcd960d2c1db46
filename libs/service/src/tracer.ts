/** What a span says besides its name and times. */
export type SpanAttributes = Readonly<Record<string, string | number>>

/** One step on a sampled trade's way. It exists only for what is sampled: `span?.end()`. */
export interface Span {
  /** W3C trace context that names this step: whoever is handed it goes on with the same trace. Opaque to all but the tracer. */
  readonly traceparent: string
  /** @param error why the step failed, if it did */
  end(attributes?: SpanAttributes, error?: unknown): void
}

/**
 * Begins spans. Neither method ever throws or waits, and both give undefined for what is not sampled, which is nearly everything: so
 * a hot path pays one comparison.
 */
export interface Tracer {
  /** The first step of a trace, if this one is among the sampled. */
  begin(name: string, attributes?: SpanAttributes): Span | undefined
  /** The step after the one that handed us `traceparent`; undefined for undefined, or for what is no trace context. */
  follow(name: string, traceparent: string | undefined, attributes?: SpanAttributes): Span | undefined
}

/** What everything has unless it is given another: no span, ever. */
export const NO_TRACES: Tracer = { begin: () => undefined, follow: () => undefined }

export interface Tracing {
  readonly tracer: Tracer
  /** Sends what waits, for a bounded time. Never fails. */
  close(): Promise<void>
}
