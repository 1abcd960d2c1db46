import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { postgresUser } from '../src/postgres-user.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-user-'))
  chmodSync(folder, 0o700)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('the user that PostgreSQL runs as is not root, and reaches a program in a folder closed to others', () => {
  const program = join(folder, 'program')
  writeFileSync(program, '', { mode: 0o755 })
  const script = 'fs.accessSync(process.argv[1], fs.constants.X_OK); console.log(process.getuid())'
  const [command, ...args] = [...postgresUser().prefix, process.execPath, '-e', script, program]
  expect(execFileSync(command!, args, { encoding: 'utf8', cwd: '/' })).not.toBe('0\n')
})
