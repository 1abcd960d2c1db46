import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppContext } from './app-processes.ts'
import type { ProcessSpec } from './managed-process.ts'
import type { Supervisor } from './supervisor.ts'

/**
 * Makes the page that the dashboard serves out of its sources. It is made elsewhere and then put in the place of the former: another
 * `npm start` may serve that one, or be building too.
 * @throws Error that says where to read why
 */
export async function buildPage(
  { root, env }: Pick<AppContext, 'root' | 'env'>,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<void> {
  const dist = join(root, 'apps', 'dashboard', 'dist')
  // On the same disk, since a folder cannot be renamed to another, and out of sight.
  const made = join(root, 'node_modules', `.page-${process.pid}`)
  const former = `${made}-former`
  try {
    const spec = builder(root, env, made)
    // Its last line is the end of a stack.
    await supervisor.runOnce(spec, signal).catch(cause => {
      throw new Error(`${supervisor.logFile(spec.name)} says why`, { cause })
    })
    await rename(dist, former).catch(() => undefined)
    await rename(made, dist).catch(error => {
      // Another has put its own there at this moment: it is made of the same sources.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await Promise.all([made, former].map(folder => rm(folder, { recursive: true, force: true })))
  }
}

function builder(root: string, env: AppContext['env'], outDir: string): ProcessSpec {
  return {
    name: 'dashboard-build',
    command: process.execPath,
    args: [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--outDir', outDir, '--logLevel', 'warn'],
    cwd: join(root, 'apps', 'dashboard'),
    // For its log.
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
  }
}
