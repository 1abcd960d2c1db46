import { AbstractConnector, type RedisOptions } from 'ioredis'
import { dial, type NetStream } from './dial.ts'
import type { Place } from './redis-address.ts'

/** A socket that does not end when it is asked to is destroyed after this long. */
const DISCONNECT_TIMEOUT_MS = 500

/** What connectors of ours have in common: no error of a socket goes unheard. */
export abstract class DiallingConnector extends AbstractConnector {
  readonly #tls: RedisOptions['tls']

  constructor({ tls }: RedisOptions) {
    super(DISCONNECT_TIMEOUT_MS)
    this.#tls = tls
  }

  /** The socket that the client uses from now on. */
  protected dial(place: Place): NetStream {
    const stream = dial(place, this.#tls)
    stream.once('error', (error: Error) => {
      this.firstError = error
    })
    this.stream = stream
    return stream
  }
}

/** Makes the connections of a client of one server, as ioredis' own does. */
export class ServerConnector extends DiallingConnector {
  readonly #place: Place

  constructor(options: unknown) {
    const { host, port } = options as RedisOptions
    super(options as RedisOptions)
    this.#place = { host: host!, port: port! }
  }

  override async connect(): Promise<NetStream> {
    this.connecting = true
    // The client may be closed in the turn in which it was made.
    await Promise.resolve()
    if (!this.connecting) throw new Error('Connection is closed.')
    return this.dial(this.#place)
  }
}
