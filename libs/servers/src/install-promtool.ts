import { findApt } from './apt.ts'
import { programOnlyScript } from './apt-program.ts'
import { findCommand } from './find-command.ts'

/**
 * Installs Prometheus' promtool where that is possible without asking anybody (apt, and root or sudo without a password). Only tests of the
 * alerts want it, so where it cannot be had they are skipped: `say` gets a line for that as well.
 */
export async function installPromtool(say: (line: string) => void): Promise<void> {
  if (findCommand('promtool') !== undefined) return
  const runAsRoot = findApt()
  if (runAsRoot === undefined) {
    say('promtool is not on the PATH: tests of the alert rules will be skipped.')
    return
  }
  say('Installing prometheus with apt-get for the tests of the alert rules (once, about half a minute) …')
  const { code, errors } = await runAsRoot(programOnlyScript('prometheus', ['prometheus.service']))
  if (findCommand('promtool') !== undefined) return
  say(`apt-get could not install prometheus (exit ${code}: ${errors}): tests of the alert rules will be skipped.`)
}
