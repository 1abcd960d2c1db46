/** A process for tests: what it does is its first argument, where its traces go the second. */
import { createRequire } from 'node:module'
import { aborted, ConfigError, runService } from '../src/index.ts'

const [what, tracesUrl] = process.argv.slice(2)

await runService(
  'tested',
  () => {
    if (what === 'misconfigured') throw new ConfigError('PORT must be a number')
    return {
      logLevel: 'info',
      healthPort: 0,
      healthHost: '127.0.0.1',
      tracing: tracesUrl === undefined ? undefined : { url: tracesUrl, ratio: 1 },
    } as const
  },
  async (_config, { signal, log, tracer }) => {
    if (what === 'fails') throw new Error('cannot reach anything')
    if (what === 'rejects') void Promise.reject(new Error('nobody awaits this'))
    if (what === 'secretive') {
      const command = { name: 'hello', args: ['AUTH', 'default', 'hunter2'] }
      log.warn({ err: Object.assign(new Error('WRONGPASS'), { command }) }, 'trouble')
    }
    if (what === 'traced') {
      tracer.begin('work')?.end()
      // The metrics' client loads OpenTelemetry's API, which does nothing by itself.
      const modules = Object.keys(createRequire(import.meta.url).cache)
      log.info({ openTelemetry: modules.filter(file => file.includes('@opentelemetry/sdk-trace')).length }, 'loaded')
    }
    log.info('up')
    const stay = setInterval(() => undefined, 1_000)
    await aborted(signal)
    if (what === 'stuck') await new Promise(() => undefined)
    clearInterval(stay)
    log.info('let go')
  },
)
