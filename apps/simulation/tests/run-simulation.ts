import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/**
 * Runs `npm run simulate` as a person would: in a process of its own, whose clocks it may replace.
 * @throws Error with what it said of itself when it ended in another way than a person would expect
 */
export async function runSimulation(...args: string[]): Promise<{ status: number; output: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [status, signal] = await new Promise<[number | null, string | null]>(resolve =>
    child.on('close', (...end) => resolve(end)),
  )
  if (status === null || output === '') {
    throw new Error(`the simulation with ${args.join(' ')} ended with ${status ?? signal}:\n${errors}`)
  }
  return { status, output }
}
