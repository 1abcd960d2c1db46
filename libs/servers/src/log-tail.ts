import { readFile } from 'node:fs/promises'

const linesMax = 4

/** The last lines of a server's log on one line, for the message of an error. */
export async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text
    .slice(-4_096)
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  return lines.slice(-linesMax).join(' | ')
}
