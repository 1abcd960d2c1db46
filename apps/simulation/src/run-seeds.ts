import { type ChildProcess, fork } from 'node:child_process'
import type { Mutation } from './mutations.ts'
import { Tally } from './tally.ts'

/** Seeds that a worker gets at a time, at most. */
const BATCH_SEEDS_MAX = 25
/** Batches of each worker, at least: the others soon know that one has failed, and all end at about the same time. */
const BATCHES_MIN = 4
/**
 * Batches of one worker. Node keeps a signal that was made of others for as long as somebody listens to it, and whoever crashed listens for
 * ever: some 2.5 MB a seed.
 */
const WORKER_BATCHES = 10
const PROGRESS_MS = 5_000
/** Failing seeds that are told; a broken rule fails nearly all of them. */
const TOLD_MAX = 10

/** What a worker is asked. */
export interface Batch {
  readonly from: number
  readonly seeds: number
  readonly mutation: Mutation | undefined
  /** Also after a seed has failed. */
  readonly keepGoing: boolean
}

/** What a worker answers. */
export interface BatchResult {
  readonly ran: number
  readonly events: number
  readonly lastedMs: number
  readonly cpuMs: number
  readonly counts: readonly (readonly [string, number])[]
  readonly failures: readonly { readonly seed: number; readonly broken: string }[]
}

export interface RunSeedsOptions extends Batch {
  readonly jobs: number
}

/**
 * Runs seeds in child processes, since each replaces the clocks of its own, and tells how it goes. Stops at the first failing one.
 * Gives the number of seeds that failed.
 */
export async function runSeeds(options: RunSeedsOptions): Promise<number> {
  const { from, seeds, jobs, mutation, keepGoing } = options
  const startTime = Date.now()
  const tally = new Tally()
  const failures: { seed: number; broken: string }[] = []
  const total = { ran: 0, events: 0, lastedMs: 0, cpuMs: 0 }
  const batchSeeds = Math.min(BATCH_SEEDS_MAX, Math.ceil(seeds / (jobs * BATCHES_MIN)))
  let next = from
  const progress = setInterval(() => {
    process.stderr.write(`${total.ran} of ${seeds} seeds, ${failures.length} failed\n`)
  }, PROGRESS_MS)
  const work = async () => {
    const isGoingOn = () => next < from + seeds && (keepGoing || failures.length === 0)
    while (isGoingOn()) await useWorker(isGoingOn)
  }
  const useWorker = async (isGoingOn: () => boolean) => {
    const worker = fork(new URL('./worker.ts', import.meta.url))
    try {
      for (let batches = 0; batches < WORKER_BATCHES && isGoingOn(); batches++) {
        const batch = { from: next, seeds: Math.min(batchSeeds, from + seeds - next), mutation, keepGoing }
        next += batch.seeds
        const result = await ask(worker, batch)
        for (const name of ['ran', 'events', 'lastedMs', 'cpuMs'] as const) total[name] += result[name]
        tally.addAll(result.counts)
        failures.push(...result.failures)
      }
    } finally {
      worker.disconnect()
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, Math.ceil(seeds / batchSeeds)) }, work))
  clearInterval(progress)
  process.stdout.write(tableOf(tally, total, Date.now() - startTime))
  for (const { seed, broken } of failures.slice(0, TOLD_MAX)) {
    const mutate = mutation === undefined ? '' : ` --mutate ${mutation}`
    process.stdout.write(`FAILED: npm run simulate -- --from ${seed} --seeds 1${mutate}   ${broken}\n`)
  }
  process.stdout.write(`${failures.length} of ${total.ran} seeds failed\n`)
  return failures.length
}

function ask(worker: ChildProcess, batch: Batch): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a worker ended with ${code} at seeds from ${batch.from}`))
    worker.once('exit', onExit)
    worker.once('message', message => {
      worker.off('exit', onExit)
      resolve(message as BatchResult)
    })
    worker.send(batch)
  })
}

function tableOf(
  tally: Tally,
  total: { ran: number; events: number; lastedMs: number; cpuMs: number },
  tookMs: number,
): string {
  const rows = [
    ['seeds', total.ran],
    ['events', total.events],
    ['simulated hours', (total.lastedMs / 3_600_000).toFixed(1)],
    ['CPU ms a seed', (total.cpuMs / Math.max(1, total.ran)).toFixed(1)],
    ['seconds', (tookMs / 1_000).toFixed(1)],
    ...[...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)),
  ] as const
  return rows.map(([name, value]) => `${String(name).padEnd(34)}${value}\n`).join('')
}
