import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const touchEveryMs = 1_000
/** A lock that was not touched for so long belongs to a process that was killed. */
const abandonedMs = 15_000

/**
 * Runs `npm ci` unless node_modules is what package-lock.json says. Of two that start at once one installs and the
 * other waits: `npm ci` begins by removing node_modules.
 * @param {string} root
 */
export async function installPackages(root) {
  if (isInstalled(root)) return
  const release = await takeLock(root)
  try {
    if (isInstalled(root)) return
    process.stdout.write('Installing packages with npm ci (once, about a minute) …\n')
    const [command, ...args] = npmCommand(process.execPath)
    // A production setting of the caller would leave out what the tests and the pinned Node need.
    const ci = [...args, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
    const child = spawn(command, ci, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
    const [code, signal] = await once(child, 'exit')
    if (code !== 0) throw new Error(`npm ci failed (${signal ?? `exit ${code}`}): its messages are above`)
    writeFileSync(stampFile(root), hashOfLock(root))
  } finally {
    release()
  }
}

/**
 * npm as it was called, or the one on the PATH: how to run it with `node`.
 * @param {string} node
 * @returns {string[]}
 */
export function npmCommand(node) {
  const script = process.env.npm_execpath
  return script?.endsWith('.js') ? [node, script] : ['npm']
}

/** @param {string} root */
function isInstalled(root) {
  try {
    if (readFileSync(stampFile(root), 'utf8') === hashOfLock(root)) return true
  } catch {
    // No stamp, or no node_modules.
  }
  try {
    // npm writes this file last, so it is there after a complete install only, be it ours or somebody's `npm install`.
    const installed = statSync(join(root, 'node_modules', '.package-lock.json')).mtimeMs
    if (installed < statSync(join(root, 'package-lock.json')).mtimeMs) return false
    writeFileSync(stampFile(root), hashOfLock(root))
    return true
  } catch {
    return false
  }
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.chart-lock')
}

/** @param {string} root */
function hashOfLock(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/**
 * @param {string} root
 * @returns {Promise<() => void>} what gives the lock back
 */
async function takeLock(root) {
  const folder = join(root, '.data')
  const file = join(folder, 'install.lock')
  mkdirSync(folder, { recursive: true })
  for (let isSaid = false; ; isSaid = true) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (ageMs(file) > abandonedMs) {
      rmSync(file, { force: true })
      continue
    }
    if (!isSaid) process.stdout.write('Another start is installing packages; waiting for it …\n')
    await sleep(250)
  }
  const touch = setInterval(() => {
    const now = new Date()
    try {
      utimesSync(file, now, now)
    } catch {
      // Removed by hand; the install goes on.
    }
  }, touchEveryMs)
  return () => {
    clearInterval(touch)
    rmSync(file, { force: true })
  }
}

/** @param {string} file */
function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs
  } catch {
    return 0
  }
}
