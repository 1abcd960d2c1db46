import type { Server, ServerWritableStream } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { CHART_SERVICE } from './proto.ts'

/** The server as a whole, and our service. */
const NAMES = ['', CHART_SERVICE]

type Adding = Parameters<HealthImplementation['addToServer']>[0]
type Watch = (call: ServerWritableStream<{ service: string }, object>) => void

/** grpc.health.v1. */
export class HealthStatus {
  readonly #health = new HealthImplementation(Object.fromEntries(NAMES.map(name => [name, 'NOT_SERVING' as const])))

  constructor(server: Server) {
    const boundedServer = {
      addService(definition: Parameters<Server['addService']>[0], handlers: { watch: Watch }) {
        server.addService(definition, { ...handlers, watch: watchingKnownNames(handlers.watch) } as never)
      },
    }
    this.#health.addToServer(boundedServer as unknown as Adding)
  }

  setServing(serving: boolean): void {
    for (const name of NAMES) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING')
  }
}

/** The package keeps an entry for ever for each name that anybody has watched; the names of strangers share one. */
function watchingKnownNames(watch: Watch): Watch {
  return call => {
    if (!NAMES.includes(call.request.service)) call.request.service = 'unknown'
    watch(call)
  }
}
