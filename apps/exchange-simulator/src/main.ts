import { once } from 'node:events'
import { readConfig } from './config.ts'
import { startExchangeSimulator } from './exchange-simulator.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

try {
  await using simulator = await startExchangeSimulator(readConfig())
  process.stdout.write(`${JSON.stringify({ listening: simulator.url })}\n`)
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
} catch (error) {
  process.stderr.write(`exchange-simulator: ${(error as Error).message}\n`)
  process.exitCode = 1
}
// The sums of klines that somebody had asked for would go on for up to a minute, and nobody waits for them any more.
process.exit()
