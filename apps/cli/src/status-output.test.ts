import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { lookOf } from './status.testing.ts'
import { findingsOf } from './status-findings.ts'
import { openStatusOutput } from './status-output.ts'

/** What is written of one look, to a terminal where `size` is given. */
function written(look: ReturnType<typeof lookOf>, how: { size?: [number, number]; terminal?: string; json?: boolean }) {
  const { size, terminal = 'xterm', json = false } = how
  const stdout = Object.assign(
    new PassThrough({ encoding: 'utf8' }),
    size && { isTTY: true, columns: size[0], rows: size[1] },
  )
  using output = openStatusOutput(
    { stdin: new PassThrough(), stdout, stderr: new PassThrough() },
    { watch: true, json, terminal },
  )
  output.show(look, findingsOf(look))
  return stdout.read() as string
}

const unwell = lookOf({ audit: undefined, failed: 2 })

test('on a narrow, low terminal what is wrong is read to its end, and the clock stays', () => {
  const lines = stripVTControlCharacters(written(unwell, { size: [40, 10] }))
    .trimEnd()
    .split('\n')
  expect(lines.slice(0, 5).map(line => line.trimEnd())).toEqual([
    'not well: no auditor is at work: stored',
    'bars are not compared with the',
    "exchange's",
    'not well: 2 jobs failed: "npx chart',
    'queue" tells why, and tries again',
  ])
  expect(lines).toHaveLength(9)
  expect(lines.at(-1)).toMatch(/^\d\d:\d\d:\d\d UTC {3}Ctrl-C ends it$/)
})

test('a dumb terminal is given lines, and no commands', () => {
  const endOfLine = '\x1b[K'
  const dumb = written(lookOf(), { size: [80, 24], terminal: 'dumb' })
  expect(dumb).not.toContain(endOfLine)
  expect(stripVTControlCharacters(dumb)).toMatch(/^\S+Z {2}all well\n$/)
  expect(written(lookOf(), { size: [80, 24] })).toContain(endOfLine)
})

test('a script finds the same keys whether all is well or not', () => {
  const read = (look: ReturnType<typeof lookOf>) => JSON.parse(written(look, { json: true }))
  const absent = { ingest: undefined, aggregate: undefined, shard: undefined, oldestPendingTime: undefined }
  const bare = read(lookOf({ audit: undefined, partition: absent }))
  expect(bare).toMatchObject({
    audit: null,
    partitions: [{ ingest: null, aggregate: null, shard: null, oldestPendingTime: null }],
  })
  expect(Object.keys(bare)).toEqual(Object.keys(read(lookOf())))
  expect(Object.keys(bare.partitions[0])).toEqual(Object.keys(read(lookOf()).partitions[0]))
})
