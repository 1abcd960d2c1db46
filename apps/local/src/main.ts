/** `npm start`: everything on one machine. Called by bin/bootstrap.mjs, which sees to npm's packages and to Node. */
import { ConfigError } from '@chart/service'
import { type Config, readConfig, usage } from './config.ts'
import { runLocal } from './run-local.ts'
import { listenForStop } from './stop-signal.ts'

// Whoever read our output may go first; that is no reason to leave processes behind.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

if (process.argv.includes('--help')) {
  console.log(usage)
} else {
  const config = configOrExit()
  try {
    await runLocal(config, listenForStop(config.bootstrapPid))
    process.exit(0)
  } catch (error) {
    console.error(`cannot go on: ${(error as Error).message}`)
    process.exit(1)
  }
}

function configOrExit(): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
