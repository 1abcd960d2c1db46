import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RULES } from './rules.ts'

const folder = join(import.meta.dirname, 'rules')
const files = readdirSync(folder)

test('every rule of the folder is asked', () => {
  const nameOf = (file: string) =>
    file.replace('.ts', '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  const rules = files.filter(file => !/\.(test|testing)\.ts$/.test(file)).map(nameOf)
  expect(Object.keys(RULES).sort()).toEqual(rules.sort())
})

test('every rule is broken by a test', () => {
  const tests = files.filter(file => file.endsWith('.test.ts')).map(file => readFileSync(join(folder, file), 'utf8'))
  const unbroken = Object.keys(RULES).filter(
    rule => !tests.some(text => new RegExp(`breaks\\(\\s*'${rule}'`).test(text)),
  )
  expect(unbroken).toEqual([])
})
