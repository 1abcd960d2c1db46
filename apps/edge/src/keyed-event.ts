import { isLive, type SeriesEvent } from './series-event.ts'

/** An event and the series it belongs to. */
export interface KeyedEvent {
  readonly key: string
  readonly event: SeriesEvent
}

/** A StreamBarsResponse ready to be written, and what it is made of. */
export interface Message {
  readonly events: readonly KeyedEvent[]
  readonly bytes: Uint8Array
}

/** Most grpc clients refuse a message above 4 MiB; a backlog of trades would make one. */
export const MESSAGE_BYTES_MAX = 1024 * 1024

/** Events as messages: frames one behind the other, as many as the bound allows. */
export function messagesOf(events: readonly KeyedEvent[]): Message[] {
  const messages: Message[] = []
  let start = 0
  let length = 0
  for (let index = 0; index < events.length; index++) {
    const bytes = events[index]!.event.frame.length
    if (index > start && length + bytes > MESSAGE_BYTES_MAX) {
      messages.push(messageOf(events.slice(start, index), length))
      start = index
      length = 0
    }
    length += bytes
  }
  if (start < events.length) messages.push(messageOf(start === 0 ? events : events.slice(start), length))
  return messages
}

function messageOf(events: readonly KeyedEvent[], length: number): Message {
  if (events.length === 1) return { events, bytes: events[0]!.event.frame }
  const frames = events.map(({ event }) => event.frame)
  return { events, bytes: Buffer.concat(frames, length) }
}

/** Without the live bars that a later one of the same series replaces. */
export function newestOf(events: readonly KeyedEvent[]): KeyedEvent[] {
  const newest = new Map<string, SeriesEvent>()
  for (const { key, event } of events) if (isLive(event)) newest.set(key, event)
  return events.filter(({ key, event }) => !isLive(event) || newest.get(key) === event)
}
