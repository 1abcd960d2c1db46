import { expect, test } from 'vitest'
import { metricsIn } from './promql-names.ts'

test.each<[string, string[]]>([
  ['up == 0', ['up']],
  [
    'histogram_quantile(0.9, sum by (le, pod) (rate(chart_a_seconds_bucket{app="x", code=~"a|b"}[1m])))',
    ['chart_a_seconds_bucket'],
  ],
  ['sum(rate(a_total[5m] offset 1h)) without (pod) / on (pod) group_left (node) b_total > 1e3', ['a_total', 'b_total']],
  ['a:b:rate5m and on() (c unless d)', ['a:b:rate5m', 'c', 'd']],
  ['max_over_time(deriv(a[5m])[10m:1m]) > bool 0.5', ['a']],
  ['time() - a # and b\n or absent(c)', ['a', 'c']],
  ['a * on (x) group_left b', ['a', 'b']],
])('%s', (expression, names) => {
  expect(metricsIn(expression)).toEqual(names)
})
