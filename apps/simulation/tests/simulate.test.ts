import { expect, test } from 'vitest'
import { runSimulation } from './run-simulation.ts'

/** TEST_SEED=n runs others. */
const FROM = String(Number(process.env.TEST_SEED ?? 1))
const SEEDS = 120
/** Ten seconds on two idle cores; a busy machine takes its time. */
const TIMEOUT_MS = 1_800_000

test(
  `${SEEDS} seeds keep every promise`,
  async () => {
    const { status, output } = await runSimulation('--from', FROM, '--seeds', String(SEEDS))
    expect(output).toContain(`0 of ${SEEDS} seeds failed`)
    expect(status).toBe(0)
  },
  TIMEOUT_MS,
)

test(
  'the same seed is the same run, to the last event',
  async () => {
    const args = ['--from', '11', '--seeds', '3', '--hash']
    const [one, two] = await Promise.all([runSimulation(...args), runSimulation(...args)])
    expect(one.output).toBe(two.output)
    const hashes = [...one.output.matchAll(/history ([0-9a-f]{8})/g)].map(([, hash]) => hash)
    expect(new Set(hashes).size).toBe(3)
  },
  TIMEOUT_MS,
)

test(
  'a failing seed is told in one line that runs it again',
  async () => {
    const mutate = ['--jobs', '1', '--mutate', 'no-version-guard']
    const { status, output } = await runSimulation('--from', '23', '--seeds', '100', ...mutate)
    expect(status).toBe(1)
    const [line, seed] =
      /^FAILED: npm run simulate -- --from (\d+) --seeds 1 --mutate no-version-guard {3}\S.*$/m.exec(output) ?? []
    const again = await runSimulation('--from', seed!, '--seeds', '1', ...mutate)
    expect(again.output).toContain(line)
  },
  TIMEOUT_MS,
)
