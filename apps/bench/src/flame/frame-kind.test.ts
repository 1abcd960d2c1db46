import { expect, test } from 'vitest'
import { kindOf, shownPath } from './frame-kind.ts'

test.each([
  ['applyTrade', 'file:///repo/libs/market/src/bar-series.ts', 'ours', 'libs/market/src/bar-series.ts'],
  ['parse', 'file:///repo/node_modules/redis-parser/lib/parser.js', 'package', 'redis-parser/lib/parser.js'],
  ['load', 'file:///repo/node_modules/a/node_modules/@b/c/d.js', 'package', '@b/c/d.js'],
  ['wasm-function[12]', 'wasm://wasm/0a1b', 'node', 'wasm://wasm/0a1b'],
  ['writev', '', 'native', ''],
  ['processTicksAndRejections', 'node:internal/process/task_queues', 'node', 'node:internal/process/task_queues'],
  ['(garbage collector)', '', 'gc', ''],
  ['main', 'file:///elsewhere/deep/down/x.ts', 'ours', 'deep/down/x.ts'],
] as const)('%s of "%s" is %s', (name, url, kind, path) => {
  expect(kindOf(name, url)).toBe(kind)
  expect(shownPath(url, 'file:///repo/')).toBe(path)
})
