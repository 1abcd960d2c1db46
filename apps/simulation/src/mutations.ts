/**
 * Guards that can be taken away, each in the model or in the wiring and never in the product's code, to show that the simulation would
 * notice: what must be caught and how soon stands in tests/mutations.test.ts.
 */
export const MUTATIONS = {
  'no-fence': 'append, commit, renewal and rewind do not look at the token',
  'no-position-check': 'a commit does not compare position and revision',
  'no-fence-no-position-check': 'neither token nor position is looked at',
  'no-contiguity-check': 'append does not compare what it follows on with the head',
  'no-idempotence-check': 'a repeated commit is not recognised',
  'no-nonce-check': 'a commit does not look whether its last entry is still the one in the log',
  'ack-at-enqueue': 'a bar leaves the outbox when it is queued',
  'no-version-guard': 'PostgreSQL takes any version of a bar in place of any other',
  'state-apart': 'bars are written by one command, position and outbox by another',
  'no-rewind': 'a hole in the log is stepped over, and the log is not emptied',
  'no-outbox-in-history': 'an edge looks for closed bars in PostgreSQL alone',
  'watermark-without-gap-check': 'a watermark is promised while trades are known to be missing',
} as const

export type Mutation = keyof typeof MUTATIONS

export function isMutation(name: string): name is Mutation {
  return Object.hasOwn(MUTATIONS, name)
}
