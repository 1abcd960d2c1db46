import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PLACES } from './places.ts'
import { runCommand } from './run-command.ts'

/** Of this clone, where Git does not look. */
const CACHE = join(PLACES.root, 'node_modules/.cache/outside-packages')

/** A slow registry takes a minute. */
const INSTALL_TIMEOUT_MS = 180_000

/**
 * A folder whose node_modules have what a tool of CHART_TOOLS asks for, installed once for each clone. It is a folder of its own, since these are more than
 * a hundred megabytes that nobody but that tool needs.
 * @param packages with their versions, `name@1.2.3`
 * @throws when they cannot be installed
 */
export async function folderWith(packages: readonly string[], cache = CACHE): Promise<string> {
  const folder = join(cache, packages.join('+').replace(/[^\w.+-]/g, '-'))
  if (!(await isThere(folder))) await install(packages, cache, folder)
  return folder
}

async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}

async function install(packages: readonly string[], cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, 'draft-'))
  try {
    await writeFile(join(draft, 'package.json'), '{"private": true}\n')
    // Their peers are for other uses of theirs.
    const flags = ['--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund']
    const options = { cwd: draft, timeoutMs: INSTALL_TIMEOUT_MS }
    const outcome = await runCommand('npm', ['install', ...flags, ...packages], '', options)
    if (outcome?.status !== 0) throw new Error(`npm could not install ${packages.join(' ')}:\n${outcome?.stderr}`)
    await rename(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
