import { readFileSync } from 'node:fs'
import { type ChartClient, openChartClient } from '@chart/client'
import { UsageError } from './command.ts'
import { readDefaults } from './config.ts'

/** Options of every command that calls an edge, for parseArgs. */
export const EDGE_OPTIONS = {
  address: { type: 'string' },
  tls: { type: 'boolean' },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
} as const

/** What a usage text says of them. */
export const EDGE_USAGE = `
Edges: --address HOST:PORT (CHART_ADDRESS, or 127.0.0.1:50051), several as HOST:PORT,HOST:PORT, all behind a name as dns:///NAME:PORT.
TLS: --tls (the system's authorities), --tls-ca FILE (PEM); --tls-cert FILE --tls-key FILE where edges ask for a certificate.
An API key comes from CHART_API_KEY; it is not sent in plain text to other machines.
`

export interface EdgeValues {
  readonly address?: string | undefined
  readonly tls?: boolean | undefined
  readonly 'tls-ca'?: string | undefined
  readonly 'tls-cert'?: string | undefined
  readonly 'tls-key'?: string | undefined
}

/** The edge that the options name. @throws UsageError for options that cannot be used */
export function openEdge(values: EdgeValues): ChartClient {
  const defaults = readDefaults()
  const tls = tlsOf(values)
  try {
    return openChartClient({
      address: values.address ?? defaults.address,
      // A command says at once that nobody is there.
      connectWithinMs: 0,
      ...(tls !== undefined && { tls }),
      ...(defaults.apiKey !== undefined && { apiKey: defaults.apiKey }),
    })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}

function tlsOf(values: EdgeValues) {
  const files = {
    ca: readOption('--tls-ca', values['tls-ca']),
    cert: readOption('--tls-cert', values['tls-cert']),
    key: readOption('--tls-key', values['tls-key']),
  }
  const given = Object.fromEntries(Object.entries(files).filter(([, pem]) => pem !== undefined))
  return values.tls === true || Object.keys(given).length > 0 ? given : undefined
}

function readOption(option: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${option} ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); name a PEM file`)
  }
}
