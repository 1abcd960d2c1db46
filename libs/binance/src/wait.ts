import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits.
 * @throws the signal's reason when it is aborted meanwhile
 */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
