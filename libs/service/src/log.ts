import { destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino'

export type Log = Logger

/** Structured log lines on standard output, one JSON object each. Written at once: a process that dies has said why. */
export function openLog(name: string, level: string): Log {
  return pino(
    { name, level, timestamp: stdTimeFunctions.isoTime, serializers: { err: withoutCommand } },
    destination({ fd: 1, sync: true }),
  )
}

/** Errors of Redis carry the command that failed with all its arguments: the password of an AUTH, or a job's hundred bars. */
function withoutCommand(error: Error): unknown {
  const serialized = stdSerializers.err(error)
  if (serialized !== null && typeof serialized === 'object' && 'command' in serialized) {
    const { command: _, ...rest } = serialized
    return rest
  }
  return serialized
}
