import { askSocket } from '../src/ask-socket.ts'
import { hasMessage, startupMessage } from '../src/postgres-ready.ts'

/**
 * Log in, one simple query, first column of the first row as text; an error of the server is thrown. Written here
 * because the driver belongs to @chart/postgres.
 */
export async function sql(port: number, statement: string): Promise<string> {
  const text = Buffer.from(`${statement}\0`)
  const query = Buffer.alloc(5 + text.length)
  query.write('Q')
  query.writeInt32BE(4 + text.length, 1)
  text.copy(query, 5)
  const opening = Buffer.concat([startupMessage({ user: 'postgres', database: 'postgres' }), query])
  const answer = await askSocket(port, opening, bytes => hasMessage(bytes, 'C') || hasMessage(bytes, 'E'))
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readUInt32BE(at + 1)) {
    const letter = String.fromCharCode(answer[at]!)
    if (letter === 'E') throw new Error(answer.toString('utf8', at + 5).replaceAll('\0', ' '))
    if (letter === 'D') {
      const length = answer.readInt32BE(at + 7)
      return length < 0 ? '' : answer.toString('utf8', at + 11, at + 11 + length)
    }
  }
  return ''
}
