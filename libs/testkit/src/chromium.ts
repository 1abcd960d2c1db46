import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** As Debian, other systems and Google call it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** A Chromium that is installed here; undefined where there is none. */
export function findChromium(path = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter(folder => folder !== '')
  return NAMES.flatMap(name => folders.map(folder => join(folder, name))).find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Said of tests that are skipped. */
export const NEEDS_CHROMIUM = 'skipped: needs a Chromium on the PATH (Debian: apt-get install chromium)'

/** For a container and for a test: no sandbox where there are no rights for one, nothing that calls home. */
export const CHROMIUM_ARGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
