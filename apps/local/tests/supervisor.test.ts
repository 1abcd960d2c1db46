import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, identityOf, isAlive } from '@chart/servers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ProcessSpec } from '../src/managed-process.ts'
import { createSupervisor, type Supervisor } from '../src/supervisor.ts'

let folder: string
let supervisor: Supervisor
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-supervisor-'))
  supervisor = createSupervisor(folder, 1_000)
})
afterEach(async () => {
  await supervisor.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A process that runs `script`, and by default then stays until it is asked to end. */
function node(name: string, script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { name, command: process.execPath, args: ['-e', script], cwd: folder, env: {}, ...more }
}
const stay = 'setInterval(() => {}, 1000);'
const viewOf = (name: string) => supervisor.views().find(view => view.name === name)!
const logOf = (name: string) => readFileSync(join(folder, `${name}.log`), 'utf8')

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 10_000) throw new Error(`never: ${condition}`)
    await sleep(10)
  }
}

test('a process that is killed is started again, with the pause in its log', async () => {
  supervisor.start(node('app', stay))
  await until(() => viewOf('app').state === 'ready')
  const { pid } = viewOf('app')
  process.kill(pid!, 'SIGKILL')
  await until(() => viewOf('app').state === 'waiting')
  expect(viewOf('app')).toEqual({ name: 'app', state: 'waiting', restarts: 0, note: 'ended by SIGKILL' })
  await until(() => viewOf('app').state === 'ready')
  expect(viewOf('app').restarts).toBe(1)
  expect(viewOf('app').pid).not.toBe(pid)
  expect(logOf('app')).toMatch(/started as process \d+\n.*ended by SIGKILL\n.*started as process \d+\n/)
})

test('stop leaves none, not even one that is deaf to SIGTERM', async () => {
  supervisor.start(node('deaf', `process.on('SIGTERM', () => {}); console.log('deaf'); ${stay}`), node('app', stay))
  await until(() => logOf('deaf').includes('deaf\n') && viewOf('app').state === 'ready')
  const identities = supervisor.views().map(({ pid }) => identityOf(pid!)!)
  expect(identities.every(isAlive)).toBe(true)
  await supervisor.stop()
  expect(identities.filter(isAlive)).toEqual([])
  expect(supervisor.views()).toEqual([
    { name: 'deaf', state: 'stopped', restarts: 0 },
    { name: 'app', state: 'stopped', restarts: 0 },
  ])
})

test('stop during the pause before a restart starts nothing more', async () => {
  supervisor.start(node('failing', 'process.exit(1)'))
  await until(() => viewOf('failing').state === 'waiting')
  await supervisor.stop()
  const log = logOf('failing')
  await sleep(600)
  expect(logOf('failing')).toBe(log)
})

test('what was started last is stopped first', async () => {
  // The clock of hrtime is one for all processes.
  const end = "process.on('SIGTERM', () => { console.log('end ' + process.hrtime.bigint()); process.exit(0) })"
  const noisy = (name: string) => node(name, `${end}; console.log('up'); ${stay}`)
  const endOf = (name: string) => BigInt(/^end (\d+)$/m.exec(logOf(name))?.[1] ?? -1)
  supervisor.start(noisy('first'))
  supervisor.start(noisy('second'))
  await until(() => logOf('first').includes('up\n') && logOf('second').includes('up\n'))
  await supervisor.stop()
  expect(endOf('second')).toBeGreaterThan(0n)
  expect(endOf('first')).toBeGreaterThan(endOf('second'))
})

test('a process that cannot start shows its last line, and is tried less and less often', async () => {
  supervisor.start(node('failing', `console.error('{"level":60,"msg":"SYMBOLS must be …"}'); process.exit(1)`))
  await until(() => viewOf('failing').restarts === 2)
  await until(() => viewOf('failing').state === 'waiting')
  expect(viewOf('failing').note).toBe('exited with 1: SYMBOLS must be …')
})

test('a program that is not there is one clear note', async () => {
  supervisor.start({ ...node('missing', ''), command: '/nonexistent/program' })
  await until(() => viewOf('missing').state === 'waiting')
  expect(viewOf('missing').note).toMatch(/^could not start: .*ENOENT/)
})

test('ready is what the process says of itself, also when it changes its mind', async () => {
  const port = await freePort()
  const script = `
    let status = 503
    process.on('SIGUSR2', () => { status = status === 200 ? 503 : 200 })
    require('node:http').createServer((_, response) => {
      response.statusCode = status
      response.end('redis: no answer\\n')
    }).listen(${port}, '127.0.0.1')`
  supervisor.start(node('app', script, { readyUrl: `http://127.0.0.1:${port}/readyz` }))
  await sleep(500)
  expect(viewOf('app').state).toBe('starting')
  process.kill(viewOf('app').pid!, 'SIGUSR2')
  await supervisor.untilReady('app', new AbortController().signal)
  process.kill(viewOf('app').pid!, 'SIGUSR2')
  await until(() => viewOf('app').state === 'unready')
  expect(viewOf('app').note).toBe('redis: no answer')
})

test('a process that does one thing is waited for, and its failure is told with its last line', async () => {
  const { signal } = new AbortController()
  await supervisor.runOnce(node('migrate', 'console.log("3 migrations")'), signal)
  expect(logOf('migrate')).toContain('3 migrations\n')
  const failing = node('migrate', 'console.error("database is not there"); process.exit(2)')
  await expect(supervisor.runOnce(failing, signal)).rejects.toThrow('migrate exited with 2: database is not there')
})
