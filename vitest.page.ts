import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Builds the page before any test that may start a dashboard: once for all, and of the sources as they are now. */
export default async function buildPage(): Promise<void> {
  const vite = fileURLToPath(new URL('node_modules/vite/bin/vite.js', import.meta.url))
  const cwd = fileURLToPath(new URL('apps/dashboard', import.meta.url))
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd })
}
