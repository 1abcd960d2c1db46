import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What of `run.json` is read here; `npm start` writes it. */
interface Run {
  readonly pid: number
  readonly grpc: string
  readonly binanceApiUrl: string
  readonly redisUrl: string
}

/** REST address of the exchange that the service at `address` listens to, when `npm start` runs it here; it may be the simulator. */
export function exchangeOfLocalRun(dataDir: string, address: string): string | undefined {
  const wanted = address.replace(/^localhost:/, '127.0.0.1:')
  return localRuns(dataDir).find(({ grpc }) => grpc === wanted)?.binanceApiUrl
}

/** URL of the Redis of the service that `npm start` runs here; of two, the one on the real exchange. */
export function redisOfLocalRun(dataDir: string): string | undefined {
  return localRuns(dataDir)[0]?.redisUrl
}

function localRuns(dataDir: string): Run[] {
  const runs = ['live', 'simulated'].map(mode => readRun(join(dataDir, mode, 'run.json')))
  return runs.filter(run => run !== undefined).filter(({ pid }) => isAlive(pid))
}

function readRun(file: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Run
  } catch {
    return undefined
  }
}

/** One that was killed leaves its file behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
