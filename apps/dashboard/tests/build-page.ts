import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const APP = fileURLToPath(new URL('..', import.meta.url))

/** Builds the page where none is, as `npm run build` does; in one step, since another test may do the same at this moment. */
export async function buildPage(): Promise<void> {
  const dist = join(APP, 'dist')
  if (existsSync(join(dist, 'index.html'))) return
  const folder = await mkdtemp(join(APP, '.dist-'))
  const vite = fileURLToPath(new URL('../../../node_modules/vite/bin/vite.js', import.meta.url))
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder], { cwd: APP })
  await rename(folder, dist).catch(async (error: NodeJS.ErrnoException) => {
    await rm(folder, { recursive: true })
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}
