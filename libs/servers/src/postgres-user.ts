import { execFileSync } from 'node:child_process'
import { ServerStartError } from './errors.ts'
import { findCommand } from './find-command.ts'

/** As whom PostgreSQL runs: the words before its command, and the owner its data directory needs. */
export type PostgresUser = { readonly prefix: readonly string[]; readonly uid?: number }

/** nobody and nogroup, present on every Linux. */
const nobody = 65_534

/**
 * PostgreSQL refuses to run as root, and containers are often just that; there it runs as nobody. The one capability
 * it keeps lets it pass through folders of root's that are closed to others, such as a clone made by mktemp.
 * Where the container's own bounds do not hold that capability, nobody gets none and open folders must do.
 */
export function postgresUser(uid = process.getuid?.()): PostgresUser {
  if (uid !== 0) return { prefix: [] }
  const setpriv = findCommand('setpriv')
  if (setpriv === undefined) {
    throw new ServerStartError(
      'PostgreSQL does not run as root and setpriv is missing: install util-linux, start as another user, or set DATABASE_URL',
    )
  }
  const asNobody = [setpriv, `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
  // PostgreSQL looks for its own programs with access(2), which forgets the capabilities of all but root unless
  // no_setuid_fixup is on. Only the named capability passes the exec either way.
  const withPassage = [
    ...asNobody,
    ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'],
  ]
  const prefix = [withPassage, asNobody].find(canRun)
  if (prefix === undefined) {
    throw new ServerStartError(
      'PostgreSQL does not run as root and setpriv may not change the user here: start as another user, or set DATABASE_URL',
    )
  }
  return { prefix, uid: nobody }
}

function canRun([command, ...args]: readonly string[]): boolean {
  try {
    execFileSync(command!, [...args, 'true'], { stdio: 'ignore', cwd: '/' })
    return true
  } catch {
    return false
  }
}
