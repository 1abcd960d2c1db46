import { AbstractConnector, type RedisOptions } from 'ioredis'
import { dial, type NetStream } from './dial.ts'

/** A socket that does not end when it is asked to is destroyed after this long. */
export const DISCONNECT_TIMEOUT_MS = 500

/** Makes the connections of a client of one server: as ioredis' own does, but that no error of a socket goes unheard. */
export class ServerConnector extends AbstractConnector {
  readonly #options: RedisOptions

  constructor(options: unknown) {
    super(DISCONNECT_TIMEOUT_MS)
    this.#options = options as RedisOptions
  }

  override async connect(): Promise<NetStream> {
    this.connecting = true
    // The client may be closed in the turn in which it was made.
    await Promise.resolve()
    if (!this.connecting) throw new Error('Connection is closed.')
    const { host, port, tls } = this.#options
    const stream = dial({ host: host!, port: port! }, tls)
    stream.once('error', error => {
      this.firstError = error
    })
    this.stream = stream
    return stream
  }
}
