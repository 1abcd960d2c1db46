import { once } from 'node:events'
import { connect } from 'node:net'
import { feedMessageOf, openTradeFeed } from '@chart/binance'
import { type ClientOptions, WebSocket } from 'ws'
import { answerParent } from '../../harness/bench-process.ts'
import { TRADED_SYMBOLS } from '../../harness/generated-trades.ts'
import { type Rates, startStopwatch } from '../../harness/stopwatch.ts'
import type { Sender } from './sender-process.ts'

/** Reads all frames once in one way. Each counts from the first message on, so that no handshake is in it. */
const WAYS: Readonly<Record<string, (sender: Sender) => Promise<Received>>> = {
  ours: wholeFeed,
  'ours, parse': sender =>
    messagesOf(sender, OUR_OPTIONS, data => {
      const message = feedMessageOf(data)
      return message.kind === 'trade' ? message.trade.tradeId : Number.NaN
    }),
  'JSON.parse': sender => messagesOf(sender, {}, data => objectOf(data.toString()).tradeId),
  'ws dropped': sender => messagesOf(sender, OUR_OPTIONS, () => 0),
  bytes: rawBytes,
}

interface Received extends Rates {
  /** Of the trades that were read; 0 where none are. */
  readonly idSum: number
}

/** As the feed's own socket is opened. */
const OUR_OPTIONS: ClientOptions = { maxPayload: 1024 * 1024, perMessageDeflate: false, skipUTF8Validation: true }

answerParent({ run: ({ way, sender }: { way: string; sender: Sender }) => WAYS[way]!(sender) })

/** The product's own feed up to whoever reads it. */
async function wholeFeed({ port, frames }: Sender): Promise<Received> {
  const feed = openTradeFeed({
    streamUrl: `ws://127.0.0.1:${port}`,
    symbols: TRADED_SYMBOLS,
    signal: new AbortController().signal,
  })
  let rates: ReturnType<typeof startStopwatch> | undefined
  let [count, idSum] = [0, 0]
  for await (const events of feed) {
    rates ??= startStopwatch()
    for (const event of events) {
      if (event.kind === 'disconnected' || event.kind === 'malformed') throw new Error(`the feed says ${event.reason}`)
      if (event.kind !== 'trade') continue
      count++
      idSum += event.trade.tradeId
    }
    if (count === frames) return { ...rates(frames), idSum }
  }
  throw new Error(`the feed ended after ${count} of ${frames} trades`)
}

async function messagesOf(sender: Sender, options: ClientOptions, idOf: (data: Buffer) => number): Promise<Received> {
  const socket = new WebSocket(`ws://127.0.0.1:${sender.port}/frames`, options)
  const done = Promise.withResolvers<Received>()
  let rates: ReturnType<typeof startStopwatch> | undefined
  let [count, idSum] = [0, 0]
  socket.on('message', data => {
    rates ??= startStopwatch()
    idSum += idOf(data as Buffer)
    if (++count === sender.frames) done.resolve({ ...rates(count), idSum })
  })
  socket.on('error', done.reject)
  socket.on('close', () => done.reject(new Error(`the connection ended after ${count} of ${sender.frames} messages`)))
  try {
    return await done.promise
  } finally {
    socket.terminate()
  }
}

/** What one writes who has not measured anything: an object of plain numbers for each message. */
function objectOf(text: string) {
  const { data } = JSON.parse(text)
  return {
    symbol: data.s as string,
    tradeId: data.t as number,
    tradeTime: data.T as number,
    price: Number(data.p),
    quantity: Number(data.q),
    takerSide: data.m ? 'sell' : 'buy',
  }
}

/** Nothing but the bytes: what the kernel and Node cost. */
async function rawBytes({ port, frames, bytes }: Sender): Promise<Received> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /bytes HTTP/1.1\r\n\r\n')
  let rates: ReturnType<typeof startStopwatch> | undefined
  let read = 0
  for await (const chunk of socket) {
    rates ??= startStopwatch()
    read += (chunk as Buffer).length
    if (read === bytes) return { ...rates(frames), idSum: 0 }
  }
  throw new Error(`the connection ended after ${read} of ${bytes} bytes`)
}
