import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startPostgres } from '../src/index.ts'
import { identityOf } from '../src/process-identity.ts'
import { sql } from './sql.ts'

const folders: string[] = []
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chart-test-'))
  folders.push(folder)
  return folder
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

test('two PostgreSQL servers at once answer, each with its own data, and none is left', async () => {
  const [one, other] = await Promise.all([startPostgres({ fsync: false }), startPostgres({ fsync: false })])
  await sql(one.port, 'CREATE TABLE only_here ()')
  expect(await sql(one.port, "SELECT to_regclass('only_here')")).toBe('only_here')
  expect(await sql(other.port, "SELECT to_regclass('only_here')")).toBe('')
  expect(await sql(one.port, "SELECT current_setting('server_encoding') || current_setting('timezone')")).toBe(
    'UTF8UTC',
  )
  await Promise.all([one.close(), other.close()])
  expect([identityOf(one.pid), identityOf(other.pid)]).toEqual([undefined, undefined])
})

test('committed rows survive SIGKILL and a restart on the same port', async () => {
  await using postgres = await startPostgres({ fsync: false })
  await sql(postgres.port, "CREATE TABLE kept AS SELECT 'row' AS value")
  const { port } = postgres
  await postgres.kill('SIGKILL')
  await postgres.restart()
  expect(postgres.port).toBe(port)
  expect(await sql(port, 'SELECT value FROM kept')).toBe('row')
})

test("in a folder closed to others (a clone made by mktemp), also as root; a dead server's file is no obstacle", async () => {
  const closed = await newFolder()
  await chmod(closed, 0o700)
  const dir = join(closed, 'deep', 'postgres')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  {
    await using postgres = await startPostgres({ dir, fsync: false })
    await sql(postgres.port, 'CREATE TABLE kept ()')
  }
  // What a SIGKILL leaves when its number has since been given to a living process, here this one's parent's.
  const pidFile = join(dir, 'data', 'postmaster.pid')
  await writeFile(pidFile, `${process.ppid}\n${join(dir, 'data')}\n0\n0\n\n127.0.0.1\n0 0\nready\n`, { mode: 0o644 })
  await using postgres = await startPostgres({ dir, fsync: false })
  expect(await sql(postgres.port, "SELECT to_regclass('kept')")).toBe('kept')
})

test('a start that was cut short does not leave half a database', async () => {
  const dir = await newFolder()
  await mkdir(join(dir, 'data.unfinished', 'base'), { recursive: true })
  await using postgres = await startPostgres({ dir, fsync: false })
  expect(await sql(postgres.port, 'SELECT 1')).toBe('1')
})

test('data of another major version are refused in one line and left as they are', async () => {
  const dir = await newFolder()
  await mkdir(join(dir, 'data'))
  await writeFile(join(dir, 'data', 'PG_VERSION'), '9\n')
  await expect(startPostgres({ dir })).rejects.toThrow(/data was written by PostgreSQL 9 and this is \d+: move/)
  expect(await readFile(join(dir, 'data', 'PG_VERSION'), 'utf8')).toBe('9\n')
})
