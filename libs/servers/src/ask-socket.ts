import { connect } from 'node:net'

const askMs = 2_000
const answerBytesMax = 65_536

/**
 * Sends `question` to a port of the loopback interface and gathers the answer until `isComplete` says so, the other
 * side closes, or two seconds have passed. An unreachable port answers nothing.
 */
export function askSocket(
  port: number,
  question: Uint8Array,
  isComplete: (answer: Buffer) => boolean,
): Promise<Buffer> {
  return new Promise(resolve => {
    let answer: Buffer = Buffer.alloc(0)
    const socket = connect({ port, host: '127.0.0.1' })
    const finish = () => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(askMs, finish)
    socket.on('error', finish)
    socket.on('close', finish)
    socket.on('connect', () => socket.write(question))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      if (isComplete(answer) || answer.length > answerBytesMax) finish()
    })
  })
}
