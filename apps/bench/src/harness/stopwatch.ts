/** What a piece of work took of time and of this process' CPU. */
export interface Rates {
  readonly perSecond: number
  /** By user and system time of all threads, so that the collector's is in it. */
  readonly perCpuSecond: number
}

/** Starts now; the answer tells the rates of `units` done since then. */
export function startStopwatch(): (units: number) => Rates {
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  return units => {
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    const { user, system } = process.cpuUsage(cpu)
    return { perSecond: units / seconds, perCpuSecond: units / ((user + system) / 1e6) }
  }
}
