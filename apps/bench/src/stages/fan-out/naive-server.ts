/**
 * The server that one would write first: a message object for each event and each call that follows its symbol, serialized by grpc-js for
 * each call anew, and written whether the client keeps up or not.
 */
import { fileURLToPath } from 'node:url'
import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const PROTO = fileURLToPath(new URL('../../../../../proto', import.meta.url))

type Call = ServerWritableStream<{ symbols: string[]; intervals: string[] }, object>

export interface NaiveServer {
  readonly port: number
  /** Writes the event to every call that follows the symbol. */
  tell(symbol: string, event: object): void
}

/** On a free port of the loopback interface. */
export function serveNaively(): Promise<NaiveServer> {
  const calls = new Map<string, Set<Call>>()
  const definition = loadSync('chart/v1/chart.proto', { includeDirs: [PROTO], longs: Number, enums: String })
  const { chart } = loadPackageDefinition(definition) as unknown as {
    chart: { v1: { ChartService: ServiceClientConstructor } }
  }
  const server = new Server()
  server.addService(chart.v1.ChartService.service, {
    streamBars(call: Call) {
      for (const symbol of call.request.symbols) {
        const following = calls.get(symbol) ?? new Set()
        calls.set(symbol, following.add(call))
        call.on('cancelled', () => following.delete(call))
      }
      call.sendMetadata(new Metadata())
    },
  })
  const tell = (symbol: string, event: object) => {
    for (const call of calls.get(symbol) ?? []) call.write({ events: [event] })
  }
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve({ port, tell }) : reject(error),
    )
  })
}
