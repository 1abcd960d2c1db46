import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import { byCpu } from '../../harness/by-cpu.ts'
import type { Sample, Stage, Variant } from '../../harness/stage.ts'

/** Of a whole run: some half a second. */
const UPDATES = 200_000

const VARIANTS: readonly Variant[] = [
  { name: 'the latest bar', role: 'ours' },
  { name: 'every trade', role: 'ours' },
  { name: 'framed, nothing kept', role: 'floor' },
  { name: 'decoded, and encoded again', role: 'instead' },
]

/** What an edge does for a subscription, however many follow it: an update of an aggregator with one trade becomes one message. */
export const handlerStage: Stage = {
  name: 'handler',
  job: "an aggregator's update of one trade to the bytes of the edge's message",
  figures: [
    { name: 'perSecond', unit: 'updates/s', better: 'more' },
    { name: 'perCpuSecond', unit: 'updates/CPU-s', better: 'more' },
  ],
  variants: VARIANTS,
  comparisons: [
    // At most 0.55 of the cost.
    byCpu('the latest bar', 'decoded, and encoded again', 1 / 0.55),
    byCpu('every trade', 'decoded, and encoded again'),
    byCpu('the latest bar', 'framed, nothing kept'),
  ],
  async open(size) {
    await using stack = new AsyncDisposableStack()
    const processes = new Map<string, BenchProcess>()
    for (const { name } of VARIANTS) {
      const process = stack.use(startProcess(new URL('handler-process.ts', import.meta.url)))
      await process.ask('open', { name, count: Math.round(UPDATES * size) })
      processes.set(name, process)
    }
    const moved = stack.move()
    return {
      run: name => processes.get(name)!.ask<Sample>('run'),
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    }
  },
}
