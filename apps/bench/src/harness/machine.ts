import { cpus, loadavg, release, totalmem, type } from 'node:os'

/** Where a report was made; figures of two machines are not to be compared, ratios are. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Of the last minute, before the first run. Above 1 others worked as well. */
  readonly load: number
}

export function machineOf(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    node: process.version,
    load: Math.round(loadavg()[0]! * 10) / 10,
  }
}
