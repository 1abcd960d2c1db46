import { destination, type Logger, pino, stdTimeFunctions } from 'pino'

export type Log = Logger

/** Structured log lines on standard output, one JSON object each. Written at once: a process that dies has said why. */
export function openLog(name: string, level: string): Log {
  return pino({ name, level, timestamp: stdTimeFunctions.isoTime }, destination({ fd: 1, sync: true }))
}
