import type { PendingEntry } from '@chart/redis'

/** One way to bring the closed bars of a flush from one process to another by way of BullMQ. */
export interface Transport {
  /** Enqueues what one commit has closed. */
  enqueue(entries: readonly PendingEntry[]): Promise<void>
  /** Works the queue until `wanted` bars have come out. */
  drain(wanted: number): Promise<Drained>
  close(): Promise<void>
}

export interface Drained {
  /** Of the bars that came out. */
  readonly bytes: number
  /** When the last one did, by performance.now(); closing the worker takes some time after it. */
  readonly time: number
}
