import { isIPv4, isIPv6 } from 'node:net'

/** Where edges listen when an address names no port. */
const DEFAULT_PORT = 50_051

/** One host of an address: a name stands for all the addresses that it resolves to. */
export interface EdgeHost {
  readonly host: string
  readonly port: number
}

/** The edges that a client may call. */
export interface EdgeAddress {
  readonly hosts: readonly EdgeHost[]
  /** Name server to ask in place of the system's, `127.0.0.1:53`. */
  readonly nameServer: string | undefined
}

const FORM = 'host:port, host:port,host:port, dns:///name:port, or dns://name-server:port/name:port'

/**
 * Reads an address: `127.0.0.1:50051`, `edge-a:50051,edge-b:50051`, `[::1]:50051`, `dns:///edge:50051`, `dns://10.0.0.10:53/edge:50051`.
 * @throws TypeError for anything else, with the wanted form
 */
export function parseEdgeAddress(address: string): EdgeAddress {
  const parts = /^(?:(dns|ipv4|ipv6):)?(?:\/\/([^/]*)\/)?(.*)$/.exec(address)
  const [, scheme, authority, list] = parts ?? []
  const isKnown = authority === undefined || scheme === 'dns'
  const hosts = (list ?? '').split(',').map(hostOf)
  if (!isKnown || hosts.some(host => host === undefined)) {
    throw new TypeError(`the address "${address}" cannot be read; it has the form ${FORM}`)
  }
  return { hosts: hosts as EdgeHost[], nameServer: authority || undefined }
}

function hostOf(text: string): EdgeHost | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain ?? (isIPv6(text) ? text : undefined)
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed))) return undefined
  if (port !== undefined && Number(port) > 65_535) return undefined
  return { host, port: port === undefined ? DEFAULT_PORT : Number(port) }
}

/** True when nothing that is sent to the address leaves this machine. */
export function isLoopback({ hosts }: EdgeAddress): boolean {
  return hosts.every(({ host }) => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.')))
}

/** As it stands in an authority: an IPv6 address in brackets. */
export function textOfHost({ host, port }: EdgeHost): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
