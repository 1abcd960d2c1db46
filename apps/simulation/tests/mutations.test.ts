import { expect, test } from 'vitest'
import { MUTATIONS, type Mutation } from '../src/mutations.ts'
import { runSimulation } from './run-simulation.ts'

/** Within how many seeds the simulation has to notice that a guard is gone: at the least four times as many as it takes of them. */
const CAUGHT_WITHIN: Partial<Record<Mutation, number>> = {
  'no-position-check': 50,
  'no-fence-no-position-check': 50,
  'no-contiguity-check': 50,
  'no-nonce-check': 100,
  'ack-at-enqueue': 50,
  'no-version-guard': 50,
  'state-apart': 50,
  'no-rewind': 100,
  'no-outbox-in-history': 100,
  'watermark-without-gap-check': 50,
}

/** Where few seeds notice, the first is near one that does: what comes before it would be waited for in every run of the tests. */
const FROM: Partial<Record<Mutation, number>> = {
  'no-nonce-check': 24,
  'no-version-guard': 23,
  'no-rewind': 13,
  'no-outbox-in-history': 517,
}

/**
 * Guards without which every promise still holds: the token only saves the work of owners that were replaced (position and contiguity
 * refuse what they write), and a repeated commit that is not recognised is a conflict, after which the partition is loaded anew.
 */
const HARMLESS: readonly Mutation[] = ['no-fence', 'no-idempotence-check']
const HARMLESS_SEEDS = 12

const TIMEOUT_MS = 1_800_000

test('every mutation is either caught or known to be harmless', () => {
  expect([...Object.keys(CAUGHT_WITHIN), ...HARMLESS].sort()).toEqual(Object.keys(MUTATIONS).sort())
})

test.each(Object.entries(CAUGHT_WITHIN))(
  '%s is caught within %d seeds',
  async (mutation, seeds) => {
    const from = String(FROM[mutation as Mutation] ?? 1)
    // One job: of two, each would load every app to run a few seeds.
    const args = ['--from', from, '--seeds', String(seeds), '--jobs', '1', '--mutate', mutation]
    const { status, output } = await runSimulation(...args)
    expect(output).toContain('FAILED: ')
    expect(status).toBe(1)
  },
  TIMEOUT_MS,
)

test.each(HARMLESS)(
  `%s breaks nothing in ${HARMLESS_SEEDS} seeds`,
  async mutation => {
    const { output } = await runSimulation('--seeds', String(HARMLESS_SEEDS), '--jobs', '1', '--mutate', mutation)
    expect(output).toContain(`0 of ${HARMLESS_SEEDS} seeds failed`)
  },
  TIMEOUT_MS,
)
