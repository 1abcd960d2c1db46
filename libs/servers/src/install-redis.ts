import { findApt } from './apt.ts'
import { programOnlyScript } from './apt-program.ts'
import { ServerStartError } from './errors.ts'
import { findCommand } from './find-command.ts'

/** The one thing to do when redis-server is missing and we may not, or cannot, install it ourselves. */
export function howToInstallRedis(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'linux')
    return 'install it with `apt-get install redis-server` (or your system’s way), or set REDIS_URL'
  if (platform === 'darwin') return 'install it with `brew install redis`, or set REDIS_URL'
  return 'install Redis 7 or newer, or set REDIS_URL'
}

/**
 * Installs redis-server where that is possible without asking anybody (apt, and root or sudo without a password).
 * `say` gets one plain line when there is something to wait for.
 */
export async function ensureRedisInstalled(say: (line: string) => void): Promise<void> {
  if (findCommand('redis-server') !== undefined) return
  const runAsRoot = findApt()
  if (runAsRoot === undefined) {
    throw new ServerStartError(`redis-server is not on the PATH: ${howToInstallRedis()}`)
  }
  say('Installing redis-server with apt-get (once, about half a minute) …')
  const { code, errors } = await runAsRoot(programOnlyScript('redis-server', ['redis-server.service']))
  if (findCommand('redis-server') === undefined) {
    throw new ServerStartError(
      `apt-get could not install redis-server (exit ${code}: ${errors}): ${howToInstallRedis()}`,
    )
  }
}
