import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from '@chart/testkit'
import { afterEach, expect, test } from 'vitest'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(what: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('service-process.ts', import.meta.url)), what])
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    said.out += chunk
  })
  child.stderr.on('data', chunk => {
    said.err += chunk
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return { child, said, exited }
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a process when its body has let go of everything, with status 0',
  async signal => {
    const { child, said, exited } = run('well')
    await until('it is up', () => said.out.includes('"up"'))
    child.kill(signal)
    expect(await exited).toBe(0)
    expect(said.out).toMatch(/"stopping"[\s\S]*"let go"[\s\S]*"stopped"/)
  },
)

test('a second signal ends a process that does not let go', async () => {
  const { child, said, exited } = run('stuck')
  await until('it is up', () => said.out.includes('"up"'))
  child.kill('SIGTERM')
  await until('it is stopping', () => said.out.includes('"stopping"'))
  child.kill('SIGTERM')
  expect(await exited).toBe(143)
})

test.each([
  ['misconfigured', 'tested: PORT must be a number\n'],
  ['fails', 'tested: cannot reach anything\n'],
])('a process that cannot start (%s) says why in one line and exits with 1', async (what, line) => {
  const { said, exited } = run(what)
  expect(await exited).toBe(1)
  expect(said.err).toBe(line)
})

test('a rejection that nobody awaits ends the process: another goes on', async () => {
  const { said, exited } = run('rejects')
  expect(await exited).toBe(1)
  expect(said.out).toContain('nobody awaits this')
})

test('an error of Redis is logged without the command that failed, which may hold a password', async () => {
  const { said } = run('secretive')
  await until('it is up', () => said.out.includes('"up"'))
  expect(said.out).toContain('WRONGPASS')
  expect(said.out).not.toContain('hunter2')
})
