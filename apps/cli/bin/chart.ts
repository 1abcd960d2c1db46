#!/usr/bin/env node
import { main } from '../src/main.ts'

// Whoever read our output has seen enough (`| head`). Commands without an end hear of it themselves.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
})

process.exitCode = await main(process.argv.slice(2), process)
