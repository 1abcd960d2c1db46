import { ChartError } from '@chart/client'
import type { Io } from './command.ts'

/** One line for a call that failed, with what to do where we know it. Gives the exit status. */
export function tellCallFailure(error: unknown, address: string, io: Io): number {
  const { message } = error as Error
  if (!(error instanceof ChartError)) io.stderr.write(`chart: ${message}\n`)
  else if (error.code === 'UNAVAILABLE') {
    io.stderr.write(
      `chart: ${error.details}; is the service running at ${address}? (npm start, or --address HOST:PORT)\n`,
    )
  } else if (error.code === 'UNAUTHENTICATED' || error.code === 'PERMISSION_DENIED') {
    io.stderr.write(`chart: ${error.details}; set CHART_API_KEY to a key that may do this\n`)
  } else io.stderr.write(`chart: ${error.details}\n`)
  return 1
}
