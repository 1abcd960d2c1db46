import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, longest first: begun last, one of them would be waited for by idle workers. Without these lines a fresh
 * clone begins with the files that have the most text.
 */
const LONGEST = [
  'apps/e2e/tests/chaos.test.ts',
  'apps/e2e/tests/topologies.test.ts',
  'apps/e2e/tests/kill-each.test.ts',
  'apps/e2e/tests/emptied-redis.test.ts',
  'apps/auditor/tests/audit.test.ts',
  'apps/dashboard/tests/browser.test.ts',
  'apps/ingestor/tests/feed-faults.test.ts',
  'libs/redis/tests/failover.test.ts',
  'apps/aggregator/tests/aggregate.test.ts',
  'apps/aggregator/tests/ownership.test.ts',
  'apps/simulation/tests/mutations.test.ts',
  'apps/simulation/tests/simulate.test.ts',
  'apps/cli/tests/status.test.ts',
  'apps/aggregator/tests/redis-faults.test.ts',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex(path => moduleId.endsWith(path))
      return place === -1 ? LONGEST.length : place
    }
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b))
  }
}
