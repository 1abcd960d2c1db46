import { freePort, isPortFree } from '@chart/servers'

export type GrpcPort = { readonly port: number; readonly note?: string }

/** The wanted port; when it is taken, a free one instead, unless the user has named the port. */
export async function chooseGrpcPort(wanted: number, isFixed: boolean): Promise<GrpcPort> {
  if (await isPortFree(wanted)) return { port: wanted }
  if (isFixed) throw new Error(`GRPC_PORT ${wanted} is in use: end what listens there, or name another`)
  return { port: await freePort(), note: `port ${wanted} is in use by another program, so this is another one` }
}
