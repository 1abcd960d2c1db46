import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'

const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url))

/** The public contract, as grpc-js and the reflection service take it. 64-bit integers are numbers: all are below 2^53. */
export const packageDefinition: PackageDefinition = loadSync('chart/v1/chart.proto', {
  includeDirs: [PROTO_DIRECTORY],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
})

const loaded = loadPackageDefinition(packageDefinition) as unknown as {
  chart: { v1: { ChartService: ServiceClientConstructor & { service: ServiceDefinition } } }
}

export const ChartServiceClient = loaded.chart.v1.ChartService
export const chartServiceDefinition = ChartServiceClient.service
/** Full name, as in paths and health checks. */
export const CHART_SERVICE = 'chart.v1.ChartService'
