import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { until } from '@chart/testkit'
import { expect, test } from 'vitest'
import { TcpProxy } from '../src/chaos/tcp-proxy.ts'

/** A server that keeps what it hears and echoes it. */
async function startEcho() {
  const heard = { text: '', ended: 0 }
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      heard.text += chunk.toString()
      socket.write(chunk)
    })
    socket.on('close', () => heard.ended++)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { heard, port: (server.address() as AddressInfo).port, [Symbol.dispose]: close }
}

async function call(port: number) {
  const socket = connect(port, '127.0.0.1')
  const answers = { text: '', closed: false }
  socket.on('data', chunk => {
    answers.text += chunk.toString()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    answers.closed = true
  })
  await once(socket, 'connect')
  return { socket, answers }
}

test('what a process sent into a silent network arrives after it, although the process has hung up', async () => {
  using echo = await startEcho()
  await using proxy = await TcpProxy.open(echo.port)
  const { socket, answers } = await call(proxy.port)
  socket.write('before ')
  await until('the answer is there', () => answers.text === 'before ')

  const stalled = proxy.stall(300)
  socket.end('late')
  const next = await call(proxy.port)
  next.socket.write(' next')
  expect(echo.heard.text).toBe('before ')
  await stalled
  await until('both arrived', () => echo.heard.text.includes('late') && echo.heard.text.includes(' next'))
  await until('the end arrived as well', () => echo.heard.ended === 1)
  await until('the new connection is answered', () => next.answers.text === ' next')
  next.socket.destroy()
})

test('a cut breaks every connection off on both sides, and new ones are served', async () => {
  using echo = await startEcho()
  await using proxy = await TcpProxy.open(echo.port)
  const first = await call(proxy.port)
  first.socket.write('a')
  await until('it is answered', () => first.answers.text === 'a')
  expect(proxy.cut()).toBe(1)
  await until('both ends know', () => first.answers.closed && echo.heard.ended === 1)
  const second = await call(proxy.port)
  second.socket.write('b')
  await until('the next one is answered', () => second.answers.text === 'b')
  second.socket.destroy()
})
