import type { SeriesEvent } from './series-fold.ts'

/** An event and the series it belongs to. */
export interface KeyedEvent {
  readonly key: string
  readonly event: SeriesEvent
}

/** One behind the other: frames of events make a StreamBarsResponse. */
export function framesOf(events: readonly KeyedEvent[]): Uint8Array {
  return events.length === 1 ? events[0]!.event.frame : Buffer.concat(events.map(({ event }) => event.frame))
}

/** True for an event that a later live bar of the same series replaces. */
export function isLive(event: SeriesEvent): boolean {
  return event.type === 'update' || event.type === 'snapshot'
}

/** Without the live bars that a later one of the same series replaces. */
export function newestOf(events: readonly KeyedEvent[]): KeyedEvent[] {
  const newest = new Map<string, SeriesEvent>()
  for (const { key, event } of events) if (isLive(event)) newest.set(key, event)
  return events.filter(({ key, event }) => !isLive(event) || newest.get(key) === event)
}
