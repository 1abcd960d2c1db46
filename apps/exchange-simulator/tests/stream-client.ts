import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Any frame, parsed; frames that are not JSON are `{ unparsed: text }`. */
export type Frame = Record<string, unknown> & { data?: Record<string, unknown>; k?: Record<string, unknown> }

/** A WebSocket whose frames are kept in order until someone waits for them. */
export interface StreamClient extends AsyncDisposable {
  readonly socket: WebSocket
  /** All frames so far. */
  readonly frames: Frame[]
  /** Resolves with all frames as soon as they satisfy `holds`; rejects when the socket closes first. */
  until(holds: (frames: readonly Frame[]) => boolean): Promise<Frame[]>
  send(message: unknown): void
  /** Code with which the server closed; 1006 when it broke off. */
  readonly closed: Promise<number>
}

export async function openStream(url: string): Promise<StreamClient> {
  const socket = new WebSocket(url)
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  let isClosed = false
  socket.on('message', data => {
    frames.push(parse(data.toString()))
    for (const look of waiting) look()
  })
  const closed = new Promise<number>(resolve => {
    socket.on('close', code => {
      isClosed = true
      resolve(code)
      for (const look of waiting) look()
    })
  })
  socket.on('error', () => {})
  await once(socket, 'open')
  return {
    socket,
    frames,
    closed,
    send: message => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: holds =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!holds(frames) && !isClosed) return
          waiting.delete(look)
          if (holds(frames)) resolve(frames)
          else reject(new Error(`socket closed after ${frames.length} frames`))
        }
        waiting.add(look)
        look()
      }),
    [Symbol.asyncDispose]: async () => {
      socket.terminate()
      await closed
    },
  }
}

function parse(text: string): Frame {
  try {
    return JSON.parse(text)
  } catch {
    return { unparsed: text }
  }
}

export async function getJson<Body>(url: string): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await fetch(url)
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
}
