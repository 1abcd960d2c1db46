import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const wanted = 24

/**
 * The Node that runs the TypeScript as it is: the pinned one that npm brought, or this one when it is new enough
 * (a platform for which there is no package).
 * @param {string} root
 * @returns {string}
 */
export function findNode(root) {
  const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(pinned) && majorOf(pinned) >= wanted) return pinned
  if (Number.parseInt(process.versions.node, 10) >= wanted) return process.execPath
  throw new Error(
    `Node ${wanted} is needed and npm has no package of it for ${process.platform}-${process.arch}; this is Node ${process.versions.node}: install Node ${wanted} and run this again`,
  )
}

/** @param {string} node */
function majorOf(node) {
  try {
    return Number.parseInt(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }), 10)
  } catch {
    // Another platform's binary, as in a folder that a container shares with its host.
    return 0
  }
}
