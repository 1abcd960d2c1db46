import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { identityOf, isAlive } from '@chart/servers'
import { afterEach, beforeEach, expect, test } from 'vitest'

/**
 * The bootstrap in a clone of its own, with an npm that only writes down that it was called: what it decides and hands on
 * is tested here; that the real `npm ci` works is what every fresh clone shows.
 */
let root: string
const children: ChildProcess[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'chart-bootstrap-'))
  const bin = fileURLToPath(new URL('../bin', import.meta.url))
  cpSync(bin, join(root, 'apps/local/bin'), { recursive: true })
  mkdirSync(join(root, 'apps/local/src'))
  writeFileSync(join(root, 'package-lock.json'), '{}')
  writeFileSync(join(root, 'npm-cli.js'), npm)
  writeFileSync(join(root, 'apps/local/src/main.ts'), main)
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const npm = `
const { appendFileSync, mkdirSync, rmSync, writeFileSync } = require('node:fs')
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
if (process.argv[2] === 'ci') {
  rmSync('node_modules', { recursive: true, force: true })
  setTimeout(() => {
    mkdirSync('node_modules')
    writeFileSync('node_modules/.package-lock.json', '{}')
  }, 300)
}`
const main = `
const kind: string = process.argv[2] ?? 'none'
console.log('main ' + kind + ' ' + process.pid + ' ' + (process.env.CHART_BOOTSTRAP_PID === String(process.ppid)))
if (kind === 'stay') {
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
} else process.exitCode = Number(kind)`

function bootstrap(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { npm_lifecycle_event, ...outer } = process.env
  const child = spawn(process.execPath, [join(root, 'apps/local/bin/bootstrap.mjs'), ...args], {
    env: { ...outer, npm_execpath: join(root, 'npm-cli.js'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  return { child, output: () => output, exited: once(child, 'exit') as Promise<[number]> }
}
const calls = () => readFileSync(join(root, 'calls'), 'utf8').split('\n').filter(Boolean)

test('a fresh clone is installed once; the next start finds it so; a changed lock file installs again', async () => {
  for (const code of [0, 3]) expect(await bootstrap(['start', String(code)]).exited).toEqual([code, null])
  expect(calls()).toEqual(['ci --include=dev --include=optional --no-audit --no-fund'])
  writeFileSync(join(root, 'package-lock.json'), '{"changed":true}')
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(root, 'package-lock.json'), later, later)
  await bootstrap(['start', '0']).exited
  expect(calls()).toHaveLength(2)
})

test('of two at once one installs and both start', async () => {
  const both = [bootstrap(['start', '0']), bootstrap(['start', '0'])]
  expect(await Promise.all(both.map(({ exited }) => exited))).toEqual([
    [0, null],
    [0, null],
  ])
  expect(calls()).toHaveLength(1)
  expect(both.map(({ output }) => output().match(/main 0 \d+ true/)?.length)).toEqual([1, 1])
})

test('an install that was killed leaves no lock for ever, and is done again', async () => {
  mkdirSync(join(root, 'node_modules'))
  mkdirSync(join(root, '.data'))
  const lock = join(root, '.data', 'install.lock')
  writeFileSync(lock, '1\n')
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(lock, longAgo, longAgo)
  expect(await bootstrap(['start', '0']).exited).toEqual([0, null])
  expect(calls()).toHaveLength(1)
})

test('signals and the exit code are those of the program that was started', async () => {
  const { child, output, exited } = bootstrap(['start', 'stay'])
  while (!output().includes('main stay')) await sleep(20)
  child.kill('SIGTERM')
  expect(await exited).toEqual([7, null])
})

test('SIGKILL of the npm that called it ends it', async () => {
  // Through a shell, as npm runs scripts; `exit` keeps the shell from becoming the bootstrap itself.
  const npmAndShell = `
    require('node:child_process').spawn('sh', ['-c', '"$@"; exit $?', 'sh', ...process.argv.slice(1)], { stdio: 'inherit' })`
  const command = [process.execPath, join(root, 'apps/local/bin/bootstrap.mjs'), 'start', 'stay']
  const parent = spawn(process.execPath, ['-e', npmAndShell, '--', ...command], {
    env: { ...process.env, npm_execpath: join(root, 'npm-cli.js'), npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(parent)
  let output = ''
  parent.stdout.on('data', chunk => (output += chunk))
  while (!output.includes('main stay')) await sleep(20)
  const identity = identityOf(Number(/main stay (\d+)/.exec(output)![1]))!
  parent.kill('SIGKILL')
  for (let waited = 0; waited < 5_000 && isAlive(identity); waited += 50) await sleep(50)
  expect(isAlive(identity)).toBe(false)
})

test('npm test prepares, then runs all tests, with its exit code', async () => {
  writeFileSync(join(root, 'apps/local/src/prepare-tests.ts'), `console.log('prepared' as string)`)
  const { output, exited } = bootstrap(['test'])
  expect(await exited).toEqual([0, null])
  expect(output()).toContain('prepared\n')
  expect(calls().at(-1)).toBe('run test:all')
})

test('a Node of another system in node_modules is not used', async () => {
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true })
  writeFileSync(join(root, 'node_modules/.package-lock.json'), '{}')
  symlinkSync('/nonexistent', join(root, 'node_modules/.bin/node'))
  expect(await bootstrap(['start', '0']).exited).toEqual([0, null])
})
