import { freePort, isPortFree } from '@chart/servers'

export type ChosenPort = { readonly port: number; readonly note?: string }

/** The port wanted with variable `name`; when it is taken, a free one instead, unless the user has named the port. */
export async function choosePort(name: string, wanted: number, isFixed: boolean): Promise<ChosenPort> {
  if (await isPortFree(wanted)) return { port: wanted }
  if (isFixed) throw new Error(`${name} ${wanted} is in use: end what listens there, or name another`)
  // Any, not the next: of two services that start at once both would take that.
  return { port: await freePort(), note: `port ${wanted} is in use by another program, so this is another one` }
}
