import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Node reads these variables at its start, so each case is a process. */
function paintedIntoPipe(env: Record<string, string>): string {
  const tone = fileURLToPath(new URL('./tone.ts', import.meta.url))
  const script = `const { paintFor } = await import(${JSON.stringify(tone)}); process.stdout.write(paintFor(process.stdout)('up', 'x'))`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  }).stdout
}

test('a pipe has no colours unless they are forced', () => {
  expect(paintedIntoPipe({})).toBe('x')
  expect(paintedIntoPipe({ NO_COLOR: '1' })).toBe('x')
  expect(paintedIntoPipe({ FORCE_COLOR: '1' })).toBe('\x1b[32mx\x1b[39m')
})
