import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const DASHBOARD = join(ROOT, 'apps/dashboard')

/**
 * The dashboard starts with a built page only. One that is there will do; else it is built, beside its place and then put there, so that
 * tests that do this at the same time do not meet.
 */
export async function buildPageOnce(): Promise<void> {
  const dist = join(DASHBOARD, 'dist')
  if (existsSync(join(dist, 'index.html'))) return
  const folder = mkdtempSync(join(DASHBOARD, 'dist-'))
  try {
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js')
    await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder], { cwd: DASHBOARD })
    renameSync(folder, dist)
  } catch (error) {
    // Another one was first.
    if (!existsSync(join(dist, 'index.html'))) throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
