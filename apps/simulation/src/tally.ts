/** Counts by name: what the runs have seen, for the table at the end, and the metrics of the apps. */
export class Tally {
  readonly counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }

  get(name: string): number {
    return this.counts.get(name) ?? 0
  }

  addAll(other: Iterable<readonly [string, number]>): void {
    for (const [name, count] of other) this.add(name, count)
  }

  /**
   * Stands for the metrics of an app: whatever counter, gauge or histogram is asked for, increments are counted under its name and
   * labels.
   */
  metrics<Metrics extends object>(): Metrics {
    const known = new Map<string, unknown>()
    const metricOf = (name: string) => ({
      inc: (first?: number | Record<string, string>, count = 1) => {
        if (typeof first === 'number') this.add(name, first)
        else if (first === undefined) this.add(name)
        else this.add(`${name} ${Object.values(first).join(' ')}`, count)
      },
      dec: () => undefined,
      set: () => undefined,
      observe: () => undefined,
      startTimer: () => () => undefined,
      follow: () => undefined,
    })
    return new Proxy({} as Metrics, {
      get(_, name) {
        const key = String(name)
        if (!known.has(key)) known.set(key, metricOf(key))
        return known.get(key)
      },
    })
  }
}
