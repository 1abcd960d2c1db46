import { collectDefaultMetrics, Registry } from 'prom-client'
import { ConfigError } from './env.ts'
import { type Log, openLog } from './log.ts'
import type { ServiceConfig } from './service-config.ts'
import type { Tracer } from './tracer.ts'
import { openTracing } from './tracing.ts'

/** What every process is given: one signal for its whole life, its log, its metrics and its traces. */
export interface Service {
  readonly signal: AbortSignal
  readonly log: Log
  readonly registry: Registry
  readonly tracer: Tracer
}

/**
 * Time between the first signal and the exit by force. Kubernetes sends SIGKILL after 30 s by default; we say so in the
 * log before that.
 */
const STOP_DEADLINE_MS = 25_000

/** Exit code of a process ended by its own deadline, told apart from 1 (could not start, or failed). */
const EXIT_DEADLINE = 3

/**
 * Runs a process: reads its config, hands it a signal that SIGTERM and SIGINT abort, and exits when `body` has let go of
 * everything. A wrong variable or a server that cannot be reached at start ends it with one clear line and status 1.
 */
export async function runService<Config extends ServiceConfig>(
  name: string,
  readConfig: () => Config,
  body: (config: Config, service: Service) => Promise<void>,
): Promise<void> {
  const config = configOrExit(name, readConfig)
  const log = openLog(name, config.logLevel)
  const stop = new AbortController()
  const registry = new Registry()
  registry.setDefaultLabels({ app: name })
  collectDefaultMetrics({ register: registry })

  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(128 + (signal === 'SIGINT' ? 2 : 15))
    log.info({ signal }, 'stopping')
    stop.abort()
    setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, 'still running at the deadline; exiting by force')
      process.exit(EXIT_DEADLINE)
    }, STOP_DEADLINE_MS).unref()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // A promise that nobody awaits has failed: the state is unknown, and another process goes on.
  process.on('unhandledRejection', reason => {
    log.fatal({ err: reason }, 'unhandled rejection')
    process.exit(1)
  })
  process.on('uncaughtException', error => {
    log.fatal({ err: error }, 'uncaught exception')
    process.exit(1)
  })

  log.info('starting')
  const { tracer, close: closeTracing } = await openTracing(name, config.tracing, log)
  try {
    await body(config, { signal: stop.signal, log, registry, tracer })
  } catch (error) {
    if (!stop.signal.aborted) {
      // For machines, the whole of it; for people, one line.
      log.fatal({ err: error }, 'cannot go on')
      process.stderr.write(`${name}: ${(error as Error).message}\n`)
      process.exit(1)
    }
  }
  await closeTracing()
  log.info('stopped')
  process.exit(0)
}

function configOrExit<Config>(name: string, readConfig: () => Config): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${name}: ${error.message}\n`)
    process.exit(1)
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Waits, or returns at once when the signal aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}

export type { Log }
