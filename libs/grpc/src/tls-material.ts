import { createPrivateKey, X509Certificate } from 'node:crypto'
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
  // A server takes anything and would fail with each client; and with an empty CA it would trust whom the world trusts.
  try {
    if (clientCa !== undefined) new X509Certificate(clientCa)
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new Error('the key is of another certificate')
    }
    createSecureContext(context)
  } catch (cause) {
    const reason = (cause as Error).message
    throw new Error(`the TLS certificate, its key or the client CA cannot be used: ${reason}`, { cause })
  }
  return context
}
