/** What `node --cpu-prof` writes. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly startTime: number
  readonly endTime: number
  /** Ids of the nodes that ran, one for each time that V8 looked. */
  readonly samples: readonly number[]
  /** From the look before to this one. */
  readonly timeDeltas: readonly number[]
}

export interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    /** Empty for a function without a name. */
    readonly functionName: string
    /** `file:///…`, `node:…`, or empty for what is V8's or C++. */
    readonly url: string
  }
  readonly children?: readonly number[]
}

/** How long each node ran by itself (µs), by its id: from a look that found it to the next one. */
export function selfTimes({ samples, timeDeltas, startTime, endTime }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>()
  let time = startTime
  for (const [index, id] of samples.entries()) {
    time += timeDeltas[index]!
    const ran = timeDeltas[index + 1] ?? endTime - time
    times.set(id, (times.get(id) ?? 0) + Math.max(0, ran))
  }
  return times
}
