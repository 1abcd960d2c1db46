import type { IContainer } from 'kubernetes-models/v1/Container'
import type { Program } from './programs.ts'
import type { Rendering } from './rendering.ts'
import { appOf } from './workloads.ts'

/** What an image of ours runs when it is told nothing else. */
const DEFAULT_FILE = 'src/main.ts'

/** Undefined for containers that run nothing of ours. */
export function programOf(container: IContainer, { programs }: Rendering): Program | undefined {
  const app = appOf(container)
  return app === undefined ? undefined : programs.get(`${app} ${container.args?.[0] ?? DEFAULT_FILE}`)
}

/** Whether it is one of the service's processes, which have /livez and /readyz and end within their deadline. */
export function isOfTheService(container: IContainer, rendering: Rendering): boolean {
  return programOf(container, rendering)?.variables.has('HEALTH_PORT') ?? false
}
