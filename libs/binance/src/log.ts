/** What this package needs of a logger: pino's argument order. Never given payloads beyond a short sample, nor secrets. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** For those who pass none. */
export const SILENT: Log = { info() {}, warn() {} }
