import { rm } from 'node:fs/promises'
import { writeFolder } from '@chart/testkit'
import { expect, test } from 'vitest'
import { readFiles, watchFiles } from '../src/index.ts'

/** Files a and b that are watched, looked at when the test says so. */
async function watching(refuses = (_: readonly string[]) => false) {
  const folder = await writeFolder({ a: '1', b: '2' })
  const paths = [folder.paths.a, folder.paths.b]
  const seen: (readonly string[])[] = []
  const errors: string[] = []
  const watched = watchFiles({
    paths,
    first: await readFiles(paths),
    lookMs: 1_000_000,
    onChange(texts) {
      if (refuses(texts)) throw new Error(`refused ${texts}`)
      seen.push(texts)
    },
    onError: error => errors.push(error.message),
  })
  return { folder, watched, seen, errors }
}

test('a change is told once, with the texts of all files', async () => {
  const { folder, watched, seen, errors } = await watching()
  await watched.look()
  expect(seen).toEqual([])
  await folder.write('b', '3')
  await watched.look()
  await watched.look()
  expect(seen).toEqual([['1', '3']])
  expect(errors).toEqual([])
  await folder[Symbol.asyncDispose]()
})

test('a file that is away or not wanted is told once, and again when it has changed', async () => {
  const { folder, watched, seen, errors } = await watching(([a]) => a === 'bad')
  await folder.write('a', 'bad')
  await watched.look()
  await watched.look()
  expect(errors).toEqual(['refused bad,2'])
  await rm(folder.paths.a)
  await watched.look()
  await watched.look()
  expect(errors.slice(1)).toEqual([`${folder.paths.a} cannot be read (ENOENT)`])
  await folder.write('a', '1')
  await watched.look()
  expect(seen).toEqual([['1', '2']])
  await folder[Symbol.asyncDispose]()
})
