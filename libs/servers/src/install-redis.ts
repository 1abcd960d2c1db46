import { findApt } from './apt.ts'
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
 * Debian starts a service as soon as its package is unpacked, and again at each boot. We want the program only:
 * exit code 101 of policy-rc.d forbids the start, and where systemd runs the unit is switched off afterwards.
 * A policy that is already there is the administrator's and stays.
 */
const aptScript = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get -q -o DPkg::Lock::Timeout=120 update || true
apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends redis-server
if [ -d /run/systemd/system ]; then
  systemctl disable --now redis-server.service > /dev/null 2>&1 || true
fi
`

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
  const { code, errors } = await runAsRoot(aptScript)
  if (findCommand('redis-server') === undefined) {
    throw new ServerStartError(
      `apt-get could not install redis-server (exit ${code}: ${errors}): ${howToInstallRedis()}`,
    )
  }
}
