/**
 * A process of the benchmark: the floor. Writes each stream as many events and bytes as the edge would, with node:http2 alone: the bar that
 * was published, framed once, once for each trade of the batch. What the trades were is not looked at, nor whether a client reads.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { decodeUpdate, frameBarEvent, type SymbolUpdate } from '@chart/grpc'
import { VarintReader } from '@chart/market'
import { openBarUpdates } from '@chart/redis'
import { answerParent } from '../../harness/bench-process.ts'

export interface ServeHttp2 {
  readonly redisUrl: string
  readonly tags: readonly string[]
  /** One write a turn of the event loop for each stream, of all that has arrived in it; else one for each trade. */
  readonly perTurn: boolean
}

/** Before each gRPC message: a flag and its length. */
const MESSAGE_HEADER_BYTES = 5
/** Of a run of trades: three scales and two counts of zeros. */
const RUN_HEAD_NUMBERS = 5

const streams = new Map<string, Set<ServerHttp2Stream>>()
/** Frames of this turn by symbol. */
const turn = new Map<string, Uint8Array[]>()

answerParent({
  async serve({ redisUrl, tags, perTurn }: ServeHttp2): Promise<number> {
    const updates = await openBarUpdates({
      url: redisUrl,
      name: 'http2',
      onUpdate(_, bytes) {
        for (const update of decodeUpdate(bytes).symbols) publish(update, perTurn)
      },
      onReconnect: () => undefined,
    })
    for (const tag of tags) await updates.subscribe(tag)
    const server = createServer()
    server.on('stream', take)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  },
})

function take(stream: ServerHttp2Stream): void {
  stream.once('data', (request: Buffer) => {
    const symbol = symbolOf(request)
    const following = streams.get(symbol) ?? new Set()
    streams.set(symbol, following.add(stream))
    stream.on('close', () => following.delete(stream))
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
  })
}

/** The first field of the request. */
function symbolOf(request: Buffer): string {
  const start = MESSAGE_HEADER_BYTES + 2
  return request.toString('latin1', start, start + request[start - 1]!)
}

function publish({ symbol, live, trades }: SymbolUpdate, perTurn: boolean): void {
  const following = streams.get(symbol)
  if (following === undefined || following.size === 0 || live.length === 0) return
  for (const run of trades) {
    const { count, time } = headOf(run)
    const frame = frameBarEvent('update', live[0]!.bar, time)
    if (perTurn) gather(symbol, frame, count)
    else for (let index = 0; index < count; index++) writeAll(following, messageOf([frame]))
  }
}

/** How many trades a run has, and when the first was: they stand at its beginning. */
function headOf(run: Uint8Array): { count: number; time: number } {
  const reader = new VarintReader(run)
  for (let index = 0; index < RUN_HEAD_NUMBERS; index++) reader.number()
  const count = reader.number()
  reader.number()
  return { count, time: reader.number() }
}

function gather(symbol: string, frame: Uint8Array, count: number): void {
  if (turn.size === 0) setImmediate(writeTurn)
  const frames = turn.get(symbol) ?? []
  turn.set(symbol, frames)
  for (let index = 0; index < count; index++) frames.push(frame)
}

function writeTurn(): void {
  for (const [symbol, frames] of turn) writeAll(streams.get(symbol)!, messageOf(frames))
  turn.clear()
}

function messageOf(frames: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(MESSAGE_HEADER_BYTES)
  head.writeUInt32BE(
    frames.reduce((sum, { length }) => sum + length, 0),
    1,
  )
  return Buffer.concat([head, ...frames])
}

function writeAll(following: ReadonlySet<ServerHttp2Stream>, message: Buffer): void {
  for (const stream of following) if (!stream.destroyed) stream.write(message)
}
