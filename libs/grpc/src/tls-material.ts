import { createSecureContext, type TlsOptions } from 'node:tls'

/** What a server proves itself with, as PEM. */
export interface TlsMaterial {
  /** The certificate, then those of its issuers. */
  readonly cert: string
  readonly key: string
  /** Issuers of client certificates: with them every client must show one. */
  readonly clientCa?: string
}

/** Older versions have known weaknesses. */
const TLS_VERSION_MIN = 'TLSv1.2'

/**
 * As node:tls wants it.
 * @throws Error when a certificate cannot be read or the key is not its own
 */
export function tlsOptionsOf({ cert, key, clientCa }: TlsMaterial): TlsOptions {
  const context = { cert, key, minVersion: TLS_VERSION_MIN, ...(clientCa !== undefined && { ca: clientCa }) } as const
  // A server takes anything and would fail with each client.
  createSecureContext(context)
  return context
}
