import { type AppContext, dashboardProcess } from './app-processes.ts'
import { buildPage } from './build-page.ts'
import type { Supervisor } from './supervisor.ts'

/** The chart in a browser: built, then served by the process `dashboard`. */
export type Page = AsyncDisposable & {
  /** Where it is, while it is served; undefined before, and for good when it could not be built. */
  url(): string | undefined
  /** Its address for people, with what it still lacks. */
  text(): string
  /** Why there is none, in words. */
  fault(): string | undefined
}

/** Builds the page and starts what serves it, while everything else goes on: bars do not wait for it, nor fail with it. */
export function startPage(context: AppContext, supervisor: Supervisor, signal: AbortSignal): Page {
  const url = `http://127.0.0.1:${context.httpPort}`
  let isBuilt = false
  let fault: string | undefined
  const done = (async () => {
    try {
      await buildPage(context, supervisor, signal)
      if (signal.aborted) return
      supervisor.start(await dashboardProcess(context))
      isBuilt = true
    } catch (error) {
      if (!signal.aborted)
        fault = `there is no page, since it could not be built; all else runs: ${(error as Error).message}`
    }
  })()
  const state = () => supervisor.views().find(({ name }) => name === 'dashboard')?.state
  return {
    // One that is not ready any more, since Redis is away, is still served and says so on the page.
    url: () => (state() === 'ready' || state() === 'unready' ? url : undefined),
    text() {
      if (fault !== undefined) return 'no page, see below'
      if (state() === 'ready') return url
      return `${url}   ${isBuilt ? 'not ready yet' : 'being built'}`
    },
    fault: () => fault,
    [Symbol.asyncDispose]: () => done,
  }
}
