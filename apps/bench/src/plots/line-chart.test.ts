import { expect, test } from 'vitest'
import { CURVE } from './curve.testing.ts'
import { lineChart, wrap } from './line-chart.ts'

/** Places of the points of each series, by the colour of its line. */
function linesOf(svg: string): [x: number, y: number][][] {
  const paths = [...svg.matchAll(/<path class="line" stroke="[^"]+" d="(M[^"h]+)"/g)]
  return paths.map(([, path]) =>
    [...path!.matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  )
}

const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!)

test('points lie where their values are: right is more, above is more, equal ratios are equally far apart', () => {
  const [ingestor, aggregator] = linesOf(lineChart(CURVE))
  const [first, second, third] = ingestor!
  expect(second![0] - first![0]).toBeCloseTo(third![0] - second![0], 0)
  expect(first![1]).toBeLessThan(second![1])
  // In the order of x, however they were listed, and above the other where it costs more.
  expect(aggregator!.map(([x]) => x)).toEqual(ingestor!.map(([x]) => x))
  expect(aggregator![0]![1]).toBeLessThan(first![1])
})

test('axes have their units and round values, the series their names, and it says where it was measured', () => {
  const texts = textsOf(lineChart(CURVE))
  expect(texts).toEqual(expect.arrayContaining([CURVE.title, 'trades/s', 'µs CPU a trade', 'ingestor', 'aggregator']))
  expect(texts).toEqual(expect.arrayContaining(['1,000', '10k', '100k', '0', '100', '200', 'npm run bench']))
  expect(texts).toContain('2 × a processor, 24 GiB, Node v24.0.0')
})

test('everything is within the picture', () => {
  const one = { name: 'edge', points: [[5, 7]] as const }
  for (const curve of [CURVE, { ...CURVE, y: { label: 'ms', log: true } }, { ...CURVE, series: [one] }]) {
    for (const line of linesOf(lineChart(curve))) {
      for (const [x, y] of line) {
        expect(x).toBeGreaterThanOrEqual(58)
        expect(x).toBeLessThanOrEqual(618)
        expect(y).toBeGreaterThan(40)
        expect(y).toBeLessThanOrEqual(294)
      }
    }
  }
})

test('words are safe in markup, and a long title takes rows', () => {
  expect(lineChart({ ...CURVE, title: 'a < b & c' })).toContain('a &lt; b &amp; c')
  expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four'])
})
