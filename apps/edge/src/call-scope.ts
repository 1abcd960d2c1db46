import type { StreamBarsRequest } from '@chart/grpc'
import type { Scope } from './key-ring.ts'

/** How a method is counted. */
export type CallKind = 'stream' | 'list' | 'call' | 'tool'

const SERVICE = '/chart.v1.ChartService/'

/** Health is asked by those who hold no key: balancers, kubelets. It tells nothing but whether we serve. */
export function isOpenToAll(method: string): boolean {
  return method.startsWith('/grpc.health.v1.Health/')
}

/** Tools are reflection and watching health: a few calls at a time serve any of them. */
export function kindOf(method: string): CallKind {
  if (method === `${SERVICE}StreamBars`) return 'stream'
  if (method === `${SERVICE}ListBars`) return 'list'
  return method.startsWith('/grpc.') ? 'tool' : 'call'
}

/** What a key must be for to call a method at all; undefined: any key may. */
export function scopeOfMethod(method: string): Scope | undefined {
  switch (method) {
    case `${SERVICE}StreamBars`:
    case `${SERVICE}GetLiveBar`:
      return 'live'
    case `${SERVICE}ListBars`:
      return 'history'
    default:
      return undefined
  }
}

/**
 * Whether a stream reads the past: with a start time it does. Positions do not make it so, however old they are: whoever was away, or
 * whose symbol was halted for a day, goes on with a key for live bars alone. What positions can bring is bounded by the stream itself.
 */
export function readsHistory(request: StreamBarsRequest): boolean {
  return request.startTime !== null
}
