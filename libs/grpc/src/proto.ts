import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import { protoPath as healthProtoPath } from 'grpc-health-check'
import type { StreamBarsResponse } from './messages.ts'
import { completeFiles } from './reflected-files.ts'

const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url))

/** The public contract, as grpc-js and the reflection service take it. 64-bit integers are numbers: all are below 2^53. */
export const packageDefinition: PackageDefinition = loadSync('chart/v1/chart.proto', {
  includeDirs: [PROTO_DIRECTORY],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
})

/**
 * What reflection tells: the field names of the .proto (`page_size`), where ours are those of JavaScript, so that tools take what the
 * manual says; and the health service beside ours.
 */
export const reflectedDefinition: PackageDefinition = completeFiles(
  loadSync(['chart/v1/chart.proto', healthProtoPath], { includeDirs: [PROTO_DIRECTORY], keepCase: true }),
)

const loaded = loadPackageDefinition(packageDefinition) as unknown as {
  chart: { v1: { ChartService: ServiceClientConstructor & { service: ServiceDefinition } } }
}

export const ChartServiceClient = loaded.chart.v1.ChartService
export const chartServiceDefinition = ChartServiceClient.service
/** Full name, as in paths and health checks. */
export const CHART_SERVICE = 'chart.v1.ChartService'

/** In the place of a request whose bytes are no such message. */
export const MALFORMED = Symbol('malformed request')

/**
 * The service as the server has it. StreamBars' answers are passed on as they are: they are bytes of the message already. Requests
 * that cannot be read become MALFORMED, since grpc-js would answer them with INTERNAL, as if the fault were ours.
 */
export function servedDefinition(): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(chartServiceDefinition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer) => {
          try {
            return method.requestDeserialize(bytes)
          } catch {
            return MALFORMED
          }
        },
        ...(name === 'StreamBars' && { responseSerialize: asBuffer }),
      },
    ]),
  )
}

/** What the bytes of a `StreamBarsResponse` say, by the generic decoder. */
export function decodeResponse(bytes: Uint8Array): StreamBarsResponse {
  return chartServiceDefinition.StreamBars!.responseDeserialize(asBuffer(bytes)) as StreamBarsResponse
}

/** Bytes of a `StreamBarsResponse`, by the generic encoder: for a server that is not in a hurry. */
export function encodeResponse(response: Partial<StreamBarsResponse>): Uint8Array {
  return chartServiceDefinition.StreamBars!.responseSerialize(response)
}

/** The same bytes as Node's own streams want them, not copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
