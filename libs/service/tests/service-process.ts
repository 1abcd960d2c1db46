/** A process for run.test.ts: what it does is its first argument. */
import { aborted, ConfigError, runService } from '../src/index.ts'

const [what] = process.argv.slice(2)

await runService(
  'tested',
  () => {
    if (what === 'misconfigured') throw new ConfigError('PORT must be a number')
    return { logLevel: 'info', healthPort: 0, healthHost: '127.0.0.1' } as const
  },
  async (_config, { signal, log }) => {
    if (what === 'fails') throw new Error('cannot reach anything')
    if (what === 'rejects') void Promise.reject(new Error('nobody awaits this'))
    if (what === 'secretive') {
      const command = { name: 'hello', args: ['AUTH', 'default', 'hunter2'] }
      log.warn({ err: Object.assign(new Error('WRONGPASS'), { command }) }, 'trouble')
    }
    log.info('up')
    const stay = setInterval(() => undefined, 1_000)
    await aborted(signal)
    if (what === 'stuck') await new Promise(() => undefined)
    clearInterval(stay)
    log.info('let go')
  },
)
