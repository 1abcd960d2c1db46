import { askSocket } from '../src/ask-socket.ts'

/** One inline command and its raw answer, complete when it ends in a line's end and nothing follows for long. */
export async function redisCommand(port: number, command: string): Promise<string> {
  const answer = await askSocket(port, Buffer.from(`${command}\r\nPING\r\n`), text =>
    text.toString().endsWith('+PONG\r\n'),
  )
  const text = answer.toString()
  return command === 'PING' ? '+PONG\r\n' : text.slice(0, -'+PONG\r\n'.length)
}
