export type StopSignal = {
  readonly signal: AbortSignal
  /** Calls `act` when the user does not want to wait for the orderly end. */
  onForce(act: () => Promise<void>): void
}

/**
 * One press of Ctrl-C reaches us up to three times: from the terminal, from npm, and from the bootstrap, which both hand
 * on what the terminal has sent to all of us. What comes within this time is the same press.
 */
const samePressMs = 1_000
const lookForBootstrapEveryMs = 1_000

/** Aborts at the first SIGINT, SIGTERM or SIGHUP, or when the bootstrap that started us is gone. */
export function listenForStop(bootstrapPid: number | undefined): StopSignal {
  const stop = new AbortController()
  let firstTime = 0
  let force: (() => Promise<void>) | undefined

  const onSignal = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      firstTime = Date.now()
      stop.abort(signal)
    } else if (signal === 'SIGINT' && Date.now() - firstTime > samePressMs) {
      void Promise.resolve(force?.()).finally(() => process.exit(130))
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)

  // SIGKILL of the bootstrap sends us nothing; that we have another parent since then is all there is to see.
  if (bootstrapPid === process.ppid) {
    setInterval(() => {
      if (process.ppid !== bootstrapPid) stop.abort('the bootstrap is gone')
    }, lookForBootstrapEveryMs).unref()
  }
  return {
    signal: stop.signal,
    onForce(act) {
      force = act
    },
  }
}
