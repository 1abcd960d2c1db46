import { Registry } from '@chart/service'
import { openMetrics } from '../src/metrics.ts'

/** Metrics of a test's own. */
export function testMetrics() {
  return openMetrics(new Registry())
}

/** What a counter or gauge stands at. */
export async function countOf(metric: { get(): Promise<{ values: readonly { value: number }[] }> }): Promise<number> {
  return (await metric.get()).values[0]?.value ?? 0
}
