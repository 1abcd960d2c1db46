/**
 * A process of the benchmark: an exchange that costs little. It speaks as much of Binance's protocol as an ingestor needs, makes trades at
 * a given rate and writes their frames ready-made, a millisecond's worth at a time, as the exchange does with what was matched together.
 * The exchange simulator does much more for each trade (faults, klines, an oracle), which would be measured along.
 */
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { answerParent } from '../harness/bench-process.ts'
import { MadeMarket } from './made-market.ts'

export interface ExchangeAddress {
  readonly url: string
  readonly streamUrl: string
}

/** A turn of the market. */
const TURN_MS = 1
const PULSE_MS = 1_000
/** What a connection may be behind; a reader that is so slow loses trades and must fetch them. */
const UNREAD_BYTES_MAX = 256 * 1024 * 1024

/** Sockets by the symbols that they follow. */
const followers = new Map<number, Set<Duplex>>()
const pulsed = new Set<Duplex>()
let market = new MadeMarket([])
let rate = 0
let rateSince = 0
let madeSince = 0
let wrote = 0

answerParent({
  open: ({ symbols }: { symbols: string[] }) => {
    market = new MadeMarket(symbols)
    return listen()
  },
  /** Trades a second over all symbols, from now on. */
  trade: ({ tradesPerSecond }: { tradesPerSecond: number }) => {
    rate = tradesPerSecond
    rateSince = performance.now()
    madeSince = 0
  },
  made: () => wrote,
})

setInterval(turn, TURN_MS)
setInterval(pulse, PULSE_MS)

function turn(): void {
  const due = Math.floor(((performance.now() - rateSince) / 1_000) * rate) - madeSince
  if (due <= 0) return
  madeSince += due
  wrote += due
  const now = Date.now()
  const parts = new Map<Duplex, Buffer[]>()
  for (const { symbol, frames } of market.make(due, now)) {
    for (const socket of followers.get(symbol) ?? []) {
      const of = parts.get(socket)
      if (of === undefined) parts.set(socket, [frames])
      else of.push(frames)
    }
  }
  for (const [socket, frames] of parts) send(socket, frames.length === 1 ? frames[0]! : Buffer.concat(frames))
}

function pulse(): void {
  for (const socket of pulsed) send(socket, market.pulse(Date.now()))
}

function send(socket: Duplex, bytes: Buffer): void {
  if (socket.writable && socket.writableLength < UNREAD_BYTES_MAX) socket.write(bytes)
}

function listen(): Promise<ExchangeAddress> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://exchange')
    const answer = market.answer(pathname, searchParams)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { code: -1, msg: `nothing at ${pathname}` }))
  })
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on('connection', (connection, request) => {
    const socket = request.socket
    connection.on('error', () => undefined)
    connection.on('message', data => {
      const { id, params } = JSON.parse(String(data)) as { id: number; params: string[] }
      for (const stream of params) follow(socket, stream)
      connection.send(JSON.stringify({ result: null, id }))
    })
    connection.on('close', () => {
      for (const of of followers.values()) of.delete(socket)
      pulsed.delete(socket)
    })
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      resolve({ url: `http://127.0.0.1:${port}`, streamUrl: `ws://127.0.0.1:${port}` })
    })
  })
}

function follow(socket: Duplex, stream: string): void {
  const [name, kind] = stream.split('@')
  if (kind !== 'trade') {
    pulsed.add(socket)
    return
  }
  const symbol = market.indexOf(name!.toUpperCase())
  if (symbol === undefined) return
  const of = followers.get(symbol) ?? new Set()
  followers.set(symbol, of.add(socket))
}
