import { askSocket } from './ask-socket.ts'
import type { Readiness } from './server.ts'

/**
 * A real log-in by PostgreSQL's protocol, version 3.0, as far as "ready for query". Messages of the server are a
 * letter and a length; errors carry a five-letter code, of which 57P03 means "starting up, ask again".
 */
export async function askPostgres(port: number): Promise<Readiness> {
  const answer = await askSocket(port, startupMessage({ user: 'postgres', database: 'postgres' }), isDecided)
  if (answer.length === 0) return 'absent'
  return hasMessage(answer, 'Z') ? 'ready' : 'loading'
}

export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')
  const message = Buffer.alloc(8 + text.length + 1)
  message.writeUInt32BE(message.length, 0)
  message.writeUInt32BE(3 << 16, 4)
  message.write(text, 8, 'latin1')
  return message
}

function isDecided(answer: Buffer): boolean {
  return hasMessage(answer, 'Z') || hasMessage(answer, 'E')
}

/** Whether a complete message of this letter is among those received. */
export function hasMessage(answer: Buffer, letter: string): boolean {
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readUInt32BE(at + 1)) {
    const end = at + 1 + answer.readUInt32BE(at + 1)
    if (end > answer.length) return false
    if (answer[at] === letter.charCodeAt(0)) return true
  }
  return false
}
