import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBoundedLog } from './bounded-log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('two files of the size are kept, with the newest lines', () => {
  const log = openBoundedLog(join(folder, 'logs', 'app.log'), 100)
  for (let line = 0; line < 100; line++) log.write(`line ${line}\n`)
  log.close()
  const files = readdirSync(join(folder, 'logs')).sort()
  expect(files).toEqual(['app.log', 'app.log.1'])
  const texts = files.map(name => readFileSync(join(folder, 'logs', name), 'utf8'))
  expect(texts.every(text => text.length <= 100)).toBe(true)
  expect(texts[0]!.endsWith('line 99\n')).toBe(true)
})

test('a later start goes on in the same file', () => {
  const file = join(folder, 'app.log')
  for (const text of ['one\n', 'two\n']) {
    const log = openBoundedLog(file)
    log.write(text)
    log.close()
  }
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
})
