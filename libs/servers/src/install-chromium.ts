import { findApt } from './apt.ts'
import { findCommand } from './find-command.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const aptScript = `
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=120 update || true
apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends chromium
`

/**
 * Installs a Chromium where that is possible without asking anybody (apt, and root or sudo without a password). Only tests want one, so
 * where it cannot be had they are skipped: `say` gets a line for that as well.
 */
export async function installChromium(say: (line: string) => void): Promise<void> {
  if (NAMES.some(name => findCommand(name) !== undefined)) return
  const runAsRoot = findApt()
  if (runAsRoot === undefined) {
    say('There is no Chromium on the PATH: tests of the dashboard in a browser will be skipped.')
    return
  }
  say('Installing chromium with apt-get for the tests of the dashboard (once, about a minute) …')
  const { code, errors } = await runAsRoot(aptScript)
  if (NAMES.some(name => findCommand(name) !== undefined)) return
  say(
    `apt-get could not install chromium (exit ${code}: ${errors}): tests of the dashboard in a browser will be skipped.`,
  )
}
