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

/** Where edges listen when an address names no port. */
const EDGE_PORT = 50_051

const BEHIND_A_NAME = /^dns:(?:\/\/[^/]*\/)?([^/]+)$/
const HOSTS_WITH_PORTS = /^[a-z][a-z0-9.-]*:\d+(?:,[a-z][a-z0-9.-]*:\d+)*$/

/**
 * Hosts and ports of a URL, of which the forms for Sentinels and clusters have several, or of an address of edges (`dns:///edge:50051`,
 * `edge-a:50051,edge-b:50051`); none for text of another form.
 */
export function endpointsOf(text: string): Endpoint[] {
  const edges = BEHIND_A_NAME.exec(text)?.[1] ?? HOSTS_WITH_PORTS.exec(text)?.[0]
  if (edges !== undefined) return placesOf(edges, EDGE_PORT)
  const [, scheme, hosts] = /^([a-z+]+):\/\/(?:[^/?#]*@)?([^/?#@]+)/.exec(text) ?? []
  const defaultPort = PORTS[scheme ?? '']
  if (hosts === undefined || defaultPort === undefined) return []
  return placesOf(hosts, defaultPort)
}

function placesOf(hosts: string, defaultPort: number): Endpoint[] {
  return hosts.split(',').map(place => {
    const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(place)!
    return { host: host!, port: port === undefined ? defaultPort : Number(port) }
  })
}
