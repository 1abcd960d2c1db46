import type { ClientBars } from './client-bars.ts'
import type { KeyedEvent } from './keyed-event.ts'
import { closedEventOf, isClosed, isLive } from './series-event.ts'

/**
 * Keeps from a client that has just joined what it has already: edges hear of a commit at different moments, and history and updates
 * overlap. Everyone else is written the bytes of the group as they are.
 */
export class JoinFilter {
  readonly #clients: ReadonlyMap<string, ClientBars>
  /** Series whose live bar may still be behind the client's. */
  readonly #behind = new Set<string>()

  /**
   * @param clients by series key
   * @param takesLive whether the client is sent live bars at all
   */
  constructor(clients: ReadonlyMap<string, ClientBars>, takesLive: boolean) {
    this.#clients = clients
    if (!takesLive) return
    for (const [key, client] of clients) if (!client.isPassed) this.#behind.add(key)
  }

  /** Some live bar has not passed what the client came with: it is not where its group is. */
  get isBehind(): boolean {
    return this.#behind.size > 0
  }

  /** The events that the client lacks; the same array when it lacks all. */
  pass(events: readonly KeyedEvent[]): readonly KeyedEvent[] {
    // Nearly every message is one of live bars that have passed long ago.
    if (this.#behind.size === 0 && !events.some(({ event }) => isClosed(event))) return events
    let isSame = true
    const passed = events.flatMap((one): KeyedEvent[] => {
      const event = this.#passed(one)
      if (event !== one) isSame = false
      return event === undefined ? [] : [event]
    })
    return isSame ? events : passed
  }

  #passed(one: KeyedEvent): KeyedEvent | undefined {
    const { key, event } = one
    const client = this.#clients.get(key)
    if (client === undefined) return one
    if (isClosed(event)) {
      const telling = client.tellingOf(event.version)
      if (telling === undefined || telling === event.type) return telling && one
      return { key, event: closedEventOf(telling, event.version, event.bar) }
    }
    if (!isLive(event)) return one
    if (!client.takesLive(event)) return undefined
    this.#behind.delete(key)
    return one
  }
}
