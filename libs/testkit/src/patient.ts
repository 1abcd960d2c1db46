/**
 * For a test's own look at Redis: it shares a process and a machine with what it tests, so an answer may be late, and a late one is as
 * good. What is tested keeps its own bounds.
 */
export const PATIENT = { commandTimeoutMs: 60_000 } as const
