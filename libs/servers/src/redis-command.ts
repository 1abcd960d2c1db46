import { setTimeout as sleep } from 'node:timers/promises'
import { askSocket } from './ask-socket.ts'
import { ServerStartError } from './errors.ts'

const PONG = '+PONG\r\n'
/** The answer to PING at the end; while Redis reads its data back it says so to both. */
const ANSWERED = /^(-LOADING[^\r]*\r\n)-LOADING[^\r]*\r\n$|\+PONG\r\n$/
const AWAIT_MS = 30_000
const LOOK_MS = 20

/** One inline command and its raw answer, which is complete when a PING behind it is answered; '' from nobody. */
export async function redisCommand(port: number, command: string): Promise<string> {
  const question = Buffer.from(`${command}\r\nPING\r\n`)
  const text = (await askSocket(port, question, answer => ANSWERED.test(answer.toString()))).toString()
  return command === 'PING' ? PONG : text.replace(ANSWERED, '$1')
}

/** The same for a command that must succeed. */
export async function mustCommand(port: number, command: string): Promise<string> {
  const answer = await redisCommand(port, command)
  if (answer === '' || answer.startsWith('-')) {
    throw new ServerStartError(`Redis at port ${port} answers "${answer.trim()}" to ${command}`)
  }
  return answer
}

/** Waits until servers that are being joined to each other agree. */
export async function awaitServers(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + AWAIT_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new ServerStartError(`not so after ${AWAIT_MS / 1_000} s: ${what}`)
    await sleep(LOOK_MS)
  }
}

/** The words of an array of bulk strings, without lengths. */
export function wordsOf(answer: string): string[] {
  return answer.split('\r\n').filter(line => line !== '' && !/^[*$]/.test(line))
}
