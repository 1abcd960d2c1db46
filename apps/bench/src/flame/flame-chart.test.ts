import { expect, test } from 'vitest'
import type { Frame } from './call-tree.ts'
import { flameChart } from './flame-chart.ts'
import type { FrameKind } from './frame-kind.ts'

function frame(name: string, kind: FrameKind, selfUs: number, children: Frame[] = []): Frame {
  const totalUs = selfUs + children.reduce((sum, child) => sum + child.totalUs, 0)
  return { name, file: 'libs/x.ts', kind, selfUs, totalUs, children: new Map(children.map(one => [one.name, one])) }
}

interface Box {
  readonly x: number
  readonly width: number
  readonly y: number
  readonly title: string
}

function boxesOf(svg: string): Box[] {
  const found = svg.matchAll(
    /<g><rect class="box" x="([\d.]+)" y="(\d+)" width="([\d.]+)".*?<title>(.*?)<\/title><\/g>/gs,
  )
  return [...found].map(([, x, y, width, title]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    title: title!,
  }))
}

test('a box is as wide as its function and all that it called took, and lies beneath its caller', () => {
  const tree = frame('(root)', 'native', 0, [
    frame('small', 'node', 2_500),
    frame('run', 'ours', 2_500, [frame('parse', 'package', 5_000)]),
  ])
  const [run, parse, small] = boxesOf(flameChart(tree, 'a test')) as [Box, Box, Box]
  expect(run.title).toContain('run\nlibs/x.ts\n7.5 ms (75 %) with what it calls, 2.5 ms (25 %) by itself')
  expect([run.width, parse.width, small.width]).toEqual([885, 590, 295])
  expect([run.x, parse.x, small.x]).toEqual([10, 10, 895])
  expect(parse.y).toBeGreaterThan(run.y)
  expect(small.y).toBe(run.y)
})

test('functions below 0.3 % of the time are one box for each caller', () => {
  const tiny = Array.from({ length: 10 }, (_, index) => frame(`tiny${index}`, 'ours', 20))
  const tree = frame('(root)', 'native', 0, [frame('run', 'ours', 9_800, tiny)])
  const boxes = boxesOf(flameChart(tree, 'a test'))
  expect(boxes).toHaveLength(2)
  expect(boxes[1]!.title).toMatch(/^10 small ones, 0.2 ms \(2 %\) together: tiny0, .*, …$/)
})

test('the legend tells whose the time was; names are safe in markup', () => {
  const tree = frame('(root)', 'native', 0, [frame('a<b>', 'ours', 60), frame('(garbage collector)', 'gc', 40)])
  const svg = flameChart(tree, 'x & y')
  expect(svg).toContain('our code 60 %')
  expect(svg).toContain('garbage collection 40 %')
  expect(svg).toContain('a&lt;b&gt;')
  expect(svg).toContain('x &amp; y')
})
