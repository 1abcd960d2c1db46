import { defineConfig } from 'vitest/config'
import { LongestFirst } from './vitest.sequencer.ts'

/** Kinds of tests by what they need: nothing, servers of their own, the whole service as processes, a container engine. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['./vitest.seed.ts'],
          include: ['{libs,apps}/*/src/**/*.test.ts'],
          testTimeout: 60_000,
          // Rules without state: the files of a worker share its modules, which halves the time of all.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          globalSetup: ['./vitest.page.ts'],
          setupFiles: ['./vitest.seed.ts'],
          include: ['{libs,apps}/*/tests/**/*.test.ts'],
          exclude: ['apps/e2e/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // More than cores: most tests wait for servers, leases and the exchange's clock most of their time.
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: ['./vitest.page.ts'],
          include: ['apps/e2e/tests/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // Two whole services at a time: each waits for leases, restarts and the exchange's minutes most of its time.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['apps/e2e/containers/**/*.test.ts'],
          testTimeout: 120_000,
          // Images are built one after the other.
          fileParallelism: false,
        },
      },
    ],
  },
})
