/** Where an address in a variable leads. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Ports of an address that names none. */
const PORTS: Readonly<Record<string, number>> = {
  redis: 6379,
  rediss: 6379,
  'redis+sentinel': 26379,
  'rediss+sentinel': 26379,
  'redis+cluster': 6379,
  'rediss+cluster': 6379,
  postgres: 5432,
  postgresql: 5432,
  http: 80,
  ws: 80,
  https: 443,
  wss: 443,
}

/** Hosts and ports of a URL, of which the forms for Sentinels and clusters have several; none for text that is no URL of these schemes. */
export function endpointsOf(text: string): Endpoint[] {
  const [, scheme, hosts] = /^([a-z+]+):\/\/(?:[^/?#]*@)?([^/?#@]+)/.exec(text) ?? []
  const defaultPort = PORTS[scheme ?? '']
  if (hosts === undefined || defaultPort === undefined) return []
  return hosts.split(',').map(place => {
    const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(place)!
    return { host: host!, port: port === undefined ? defaultPort : Number(port) }
  })
}
