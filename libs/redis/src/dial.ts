import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Place } from './redis-address.ts'

export type NetStream = ReturnType<typeof connectTcp> | ReturnType<typeof connectTls>

/** A socket to `place` that is on its way. */
export function dial(place: Place, tls: ConnectionOptions | undefined): NetStream {
  const stream = tls ? connectTls({ ...place, ...tls }) : connectTcp({ ...place })
  // ioredis listens to the first error of a socket alone. TLS may tell a second: the server's certificate is not taken, and the server
  // answers to that with an alert. An error that nobody listens to ends the process.
  stream.on('error', () => undefined)
  return stream
}
