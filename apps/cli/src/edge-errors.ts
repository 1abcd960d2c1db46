import type { Io } from './command.ts'

/** gRPC status codes that say what to do. */
const UNAVAILABLE = 14

/** One line for a call that failed, with what to do where we know it. Gives the exit status. */
export function tellCallFailure(error: unknown, address: string, io: Io): number {
  const { code, details, message } = error as { code?: number; details?: string; message: string }
  const hint = code === UNAVAILABLE ? `; is the service running at ${address}? (npm start, or --address HOST:PORT)` : ''
  io.stderr.write(`chart: ${details ?? message}${hint}\n`)
  return 1
}
