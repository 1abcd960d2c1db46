import { PassThrough, Writable } from 'node:stream'
import { apiKeyOf, hashOfSecret } from '@chart/grpc'
import { expect, test } from 'vitest'
import { main } from '../src/main.ts'

/** What `npx chart …` prints, and its status. */
async function run(...args: string[]) {
  const texts = { stdout: '', stderr: '' }
  const into = (name: keyof typeof texts) =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk
        done()
      },
    })
  const status = await main(args, { stdin: new PassThrough(), stdout: into('stdout'), stderr: into('stderr') })
  return { status, ...texts }
}

test('chart key prints a key, and the entry that knows it by its hash alone', async () => {
  const { status, stdout, stderr } = await run('key', 'desk-1', '--scopes', 'live', '--expires', '2027-01-31T00:00:00Z')
  expect(status).toBe(0)
  const [text, entry, ...more] = stdout.trim().split('\n')
  expect(more).toEqual([])
  const key = apiKeyOf(`Bearer ${text}`)
  expect(JSON.parse(entry!)).toEqual({
    id: 'desk-1',
    sha256: hashOfSecret(key!.secret),
    scopes: ['live'],
    expires: '2027-01-31T00:00:00Z',
  })
  expect(`${entry}${stderr}`).not.toContain(key!.secret)
})

test.each([
  [['key'], 'name the key with letters, digits and dashes'],
  [['key', 'a_b'], 'name the key with letters, digits and dashes'],
  [['key', 'a', 'b'], 'name the key'],
  [['key', 'a', '--scopes', 'all'], '--scopes is a list of live, history'],
  [['key', 'a', '--expires', 'soon'], '--expires is a time such as'],
])('chart %j is refused with what is wanted', async (args, message) => {
  const { status, stdout, stderr } = await run(...args)
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
})
