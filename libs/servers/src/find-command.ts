import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { searchPath } from './config.ts'

/** The file that `command` names on the search path `path`, if there is one that may be run. */
export function findCommand(command: string, path = searchPath()): string | undefined {
  return path
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, command))
    .find(isRunnable)
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
