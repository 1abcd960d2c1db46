// redlock 5.0.0-beta.2 ships types that its `exports` does not name; here is what leader-lock.ts uses of it.
declare module 'redlock' {
  interface Lock {
    readonly expiration: number
    extend(durationMs: number): Promise<Lock>
    release(): Promise<unknown>
  }
  export default class Redlock {
    constructor(clients: Iterable<unknown>, settings: { retryCount: number; driftFactor?: number })
    acquire(resources: string[], durationMs: number): Promise<Lock>
    /** Makes the value of a lease. Its own, and pinned with it: leader-lock.ts puts a name in. */
    _random: () => string
    on(event: 'error', listener: (error: Error) => void): this
  }
}
