import { expect, test } from 'vitest'
import { callTree, type Frame } from './call-tree.ts'
import type { CpuProfile } from './cpu-profile.ts'

const ROOT = 'file:///repo/'

interface Call {
  readonly name: string
  readonly url?: string
  readonly us?: number
  readonly calls?: readonly Call[]
}

/** A profile in which each call ran once, for `us`, in the order of the listing. */
function profileOf(calls: readonly Call[]): CpuProfile {
  const nodes: CpuProfile['nodes'][number][] = []
  const ran: { id: number; us: number }[] = []
  const add = ({ name, url = '', us = 0, calls: below = [] }: Call): number => {
    const id = nodes.length + 1
    const children: number[] = []
    nodes.push({ id, callFrame: { functionName: name, url }, children })
    if (us > 0) ran.push({ id, us })
    for (const call of below) children.push(add(call))
    return id
  }
  add({ name: '(root)', calls })
  const times = ran.map((_, index) => ran.slice(0, index).reduce((sum, { us }) => sum + us, 0))
  return {
    nodes,
    startTime: 1_000,
    endTime: 1_000 + ran.reduce((sum, { us }) => sum + us, 0),
    samples: ran.map(({ id }) => id),
    timeDeltas: times.map((time, index) => time - (times[index - 1] ?? 0)),
  }
}

const text = (frame: Frame): string =>
  [...frame.children.values()]
    .map(child => `${child.name} ${child.selfUs}/${child.totalUs}${child.children.size > 0 ? ` [${text(child)}]` : ''}`)
    .join(', ')

test('calls on the same way are one, whatever node of the profile they are; time goes to all above', () => {
  const fold = { name: 'fold', url: 'file:///repo/a.ts', us: 30 }
  const run = { name: 'run', url: 'file:///repo/a.ts' }
  const tree = callTree(
    profileOf([
      { ...run, us: 10, calls: [fold] },
      { ...run, calls: [fold, { ...fold, us: 5 }] },
    ]),
    ROOT,
  )
  expect(text(tree)).toBe('run 10/75 [fold 65/65]')
  expect(tree.totalUs).toBe(75)
})

test('equal names in different files are different functions', () => {
  const tree = callTree(
    profileOf([
      { name: 'run', url: 'file:///repo/a.ts', us: 1 },
      { name: 'run', url: 'node:fs', us: 2 },
    ]),
    ROOT,
  )
  expect(text(tree)).toBe('run 1/1, run 2/2')
})

test('the time in which nothing ran is no part of it', () => {
  const tree = callTree(
    profileOf([
      { name: '(idle)', us: 1_000 },
      { name: '(program)', us: 2 },
    ]),
    ROOT,
  )
  expect(text(tree)).toBe('(program) 2/2')
})

test('modules that load modules are beside each other, not beneath', () => {
  const loader = (calls: Call[]) => ({ name: 'require', url: 'node:internal/modules/helpers', us: 1, calls })
  const inner = { name: '', url: 'file:///repo/node_modules/b/b.js', us: 20 }
  const outer = { name: '', url: 'file:///repo/node_modules/a/a.js', us: 10, calls: [loader([loader([inner])])] }
  expect(text(callTree(profileOf([loader([outer])]), ROOT))).toBe(
    '(loading modules) 3/33 [(anonymous) 10/10, (anonymous) 20/20]',
  )
})

test('a file without a root is told', () => {
  expect(() => callTree({ nodes: [], samples: [], timeDeltas: [], startTime: 0, endTime: 0 }, ROOT)).toThrow(
    '--cpu-prof',
  )
})
