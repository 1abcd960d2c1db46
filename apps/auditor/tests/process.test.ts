import { type AppProcess, killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openRig, type Rig, type Servers, startServers, TEST_TIMEOUT_MS } from './rig.ts'

/** The auditor as an operator runs it. */

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS })

let servers: Servers
beforeAll(async () => {
  servers = await startServers()
})
afterEach(killApps)
afterAll(() => servers[Symbol.asyncDispose]())

async function ask({ output }: AppProcess, path: string): Promise<string> {
  await until('it listens', () => /"port":\d+/.test(output.text))
  const port = /"port":(\d+)/.exec(output.text)![1]
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text()
}
const leads = async (auditor: AppProcess) => /chart_auditor_leading\{[^}]*\} 1/.test(await ask(auditor, '/metrics'))
const runAuditor = (rig: Rig, more: Record<string, string> = {}) => runApp('auditor', { ...rig.env, ...more })

test('of two one works; when it dies the other goes on', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const first = runAuditor(rig)
  await until('the first leads', () => leads(first))
  expect(await ask(first, '/readyz')).toBe('ok\n')
  const second = runAuditor(rig)
  expect(await ask(second, '/readyz')).toBe('ok\n')
  const [row] = await rig.untilStored(1)
  await rig.untilVerified(row!.openTime)
  expect(await leads(second)).toBe(false)
  first.child.kill('SIGKILL')
  await until('the second leads', () => leads(second))
  const next = (await rig.untilStored(2)).at(-1)!
  await rig.untilVerified(next.openTime)
  second.child.kill('SIGTERM')
  expect(await second.exited).toBe(0)
})

test('a wrong variable ends it with one line that names it', async () => {
  await using rig = await openRig(servers)
  for (const [name, value] of [
    ['IMPORT_BARS', '-1'],
    ['AUDIT_WEIGHT', 'much'],
    ['PERSISTED_INTERVALS', '1m,7m'],
  ] as const) {
    const { exited, output } = runAuditor(rig, { [name]: value })
    expect(await exited).toBe(1)
    expect(output.text).toMatch(new RegExp(`^auditor: ${name} `, 'm'))
  }
})
