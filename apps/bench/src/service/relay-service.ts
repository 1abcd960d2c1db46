import { startRedis } from '@chart/servers'
import { type BenchProcess, costOf, type ProcessCost, startProcess } from '../harness/bench-process.ts'
import type { ServeHttp2 } from '../stages/fan-out/http2-process.ts'
import type { ExchangeAddress } from './exchange-process.ts'
import { LoadClients } from './load-clients.ts'
import type { LoadedService } from './loaded-service.ts'
import type { RelayFeed } from './relay-feed-process.ts'
import type { RelayLog } from './relay-log-process.ts'

const KEY = 'relayed'
const TAG = '{p00}'

/**
 * The floor of the whole way: the same exchange and clients, and between them as many processes, sockets and hops over Redis as ours has,
 * which pass on that there were trades and do nothing else. Each process has the name of the one of ours in whose place it stands.
 */
export class RelayService implements LoadedService {
  readonly clients: LoadClients
  readonly #stack: AsyncDisposableStack
  readonly #exchange: BenchProcess
  readonly #processes: ReadonlyMap<string, { readonly pid: number }>

  private constructor(
    stack: AsyncDisposableStack,
    clients: LoadClients,
    exchange: BenchProcess,
    processes: ReadonlyMap<string, { readonly pid: number }>,
  ) {
    this.#stack = stack
    this.clients = clients
    this.#exchange = exchange
    this.#processes = processes
  }

  /** With a client for each symbol. */
  static async open(symbolCount: number): Promise<RelayService> {
    await using stack = new AsyncDisposableStack()
    const symbols = Array.from({ length: symbolCount }, (_, index) => `SYM${index}USDT`)
    const start = (file: string) => stack.use(startProcess(new URL(file, import.meta.url)))
    const redis = stack.adopt(await startRedis(), server => server.close())
    const exchange = start('exchange-process.ts')
    const edge = start('../stages/fan-out/http2-process.ts')
    const aggregator = start('relay-log-process.ts')
    const ingestor = start('relay-feed-process.ts')
    const clients = stack.use(new LoadClients())
    const { streamUrl } = await exchange.ask<ExchangeAddress>('open', { symbols })
    const serving = { redisUrl: redis.url, tags: [TAG], perTurn: true } satisfies ServeHttp2
    const port = await edge.ask<number>('serve', serving)
    await aggregator.ask('open', { redisPort: redis.port, key: KEY, tag: TAG } satisfies RelayLog)
    await ingestor.ask('open', { streamUrl, redisPort: redis.port, symbols, key: KEY } satisfies RelayFeed)
    const following = { streams: symbolCount, streamsPerConnection: 1, symbols, interval: '1m', reads: true }
    await clients.open({ ...following, port })
    const processes = new Map(Object.entries({ redis, exchange, ingestor, aggregator, edge, clients }))
    return new RelayService(stack.move(), clients, exchange, processes)
  }

  trade(tradesPerSecond: number): Promise<void> {
    return this.#exchange.ask('trade', { tradesPerSecond })
  }

  made(): Promise<number> {
    return this.#exchange.ask('made')
  }

  costs(): Map<string, ProcessCost> {
    return new Map([...this.#processes].map(([name, { pid }]) => [name, costOf(pid)]))
  }

  /** It makes no bars. */
  async lag(): Promise<number> {
    return 0
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
