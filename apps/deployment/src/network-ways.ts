import type { IContainer } from 'kubernetes-models/v1/Container'
import { type Endpoint, endpointsOf } from './endpoints.ts'
import { environmentOf } from './environment.ts'
import type { Rendering } from './rendering.ts'

export const DNS_PORT = 53

/** Where a variable of a container leads. */
export interface Way extends Endpoint {
  readonly variable: string
  /** The example of a Secret names the hosts of the local overlay; elsewhere others stand there, at the same ports. */
  readonly isExample: boolean
}

export function waysOf(container: IContainer, rendering: Rendering): Way[] {
  return [...environmentOf(container, rendering)].flatMap(([variable, { value = '', source }]) =>
    endpointsOf(value).map(endpoint => ({ ...endpoint, variable, isExample: source.startsWith('Secret/') })),
  )
}
