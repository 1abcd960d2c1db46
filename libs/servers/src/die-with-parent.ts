/**
 * A program of its own, started by `spawn-bound.ts`: ends the processes on its list when the process that holds the
 * other end of its standard input is gone, however it went. SIGKILL of a parent runs none of the parent's code, but
 * the kernel always closes its pipes.
 *
 * One watcher serves all children of a process (a wrapper around each would cost a Node of 40 MB apiece, and would
 * stand between the parent and the child's signals and exit code). Lines it understands:
 *
 *     + <identity> <signal>    end this process with this signal, and with SIGKILL when that has not worked
 *     - <identity>             forget it
 */
import { createInterface } from 'node:readline'
import { isAlive, signalIdentity } from './process-identity.ts'

/** As long as a Redis needs to write out its last second, and a PostgreSQL for its checkpoint. */
const politeMs = 5_000
const lookEveryMs = 50

const watched = new Map<string, NodeJS.Signals>()

// The terminal's Ctrl-C is for the parent, which ends its children in order and then closes the pipe.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, identity = '', signal = 'SIGTERM'] = line.split(' ')
  if (verb === '+') watched.set(identity, signal as NodeJS.Signals)
  else watched.delete(identity)
}

for (const [identity, signal] of watched) signalIdentity(identity, signal)
const deadline = Date.now() + politeMs
while (Date.now() < deadline && [...watched.keys()].some(isAlive)) {
  await new Promise(resolve => setTimeout(resolve, lookEveryMs))
}
for (const identity of watched.keys()) signalIdentity(identity, 'SIGKILL')
