import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode, RECURSION_DESIRED } from 'dns-packet'

/** Seconds that an answer may be kept: clients that look again are to see what is true now. */
const TTL = 0

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string
  /** Questions answered so far. */
  readonly questions: number
  /** From now on `name` has these IPv4 addresses; none: the name does not exist. */
  set(name: string, addresses: readonly string[]): void
}

/** A name server on this machine, over UDP, that knows what a test tells it. */
export async function startDnsServer(names: Readonly<Record<string, readonly string[]>> = {}): Promise<DnsServer> {
  const known = new Map(Object.entries(names))
  const socket = createSocket('udp4')
  let questions = 0
  socket.on('message', (bytes, from) => {
    const query = decode(bytes)
    const [question] = query.questions ?? []
    if (question === undefined) return
    questions++
    const addresses = known.get(question.name.toLowerCase()) ?? []
    const { name, type } = question
    socket.send(
      encode({
        type: 'response',
        id: query.id ?? 0,
        flags: RECURSION_DESIRED | (addresses.length === 0 ? NAME_ERROR : 0),
        questions: [question],
        answers: type === 'A' ? addresses.map(data => ({ type, name, ttl: TTL, data })) : [],
      }),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get questions() {
      return questions
    },
    set(name, addresses) {
      known.set(name, addresses)
    },
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** Response code of a name that does not exist. */
const NAME_ERROR = 3
