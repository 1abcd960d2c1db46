/**
 * A server (or what it needs) that cannot be started. The message is one line that a person can act on;
 * trying again without changing anything does not help.
 */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError'
}
