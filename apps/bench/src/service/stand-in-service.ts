import { startRedis } from '@chart/servers'
import { type BenchProcess, costOf, type ProcessCost, startProcess } from '../harness/bench-process.ts'
import type { ExchangeAddress } from './exchange-process.ts'
import { LoadClients } from './load-clients.ts'
import type { LoadedService } from './loaded-service.ts'

/** Where a process that stands in the place of one of ours finds the others. */
export interface Place {
  readonly streamUrl: string
  readonly redisUrl: string
  readonly redisPort: number
  readonly symbols: readonly string[]
}

/** A process, what it is asked to begin with, and what it is told with that. */
interface StandIn {
  readonly file: string
  readonly question: string
  readonly argument: (place: Place) => unknown
}

/** Another service of as many processes as ours, each in the place of one. The edge answers with the port on which it serves. */
export type StandIns = Readonly<Record<'ingestor' | 'aggregator' | 'edge', StandIn>>

/** From the back: nobody tells anything before there is somebody who hears it. */
const ORDER = ['edge', 'aggregator', 'ingestor'] as const

/** The same exchange, clients, sockets and hops over Redis as ours has, with other processes between them. */
export class StandInService implements LoadedService {
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

  /** With as many clients as symbols. */
  static async open(symbolCount: number, symbolsPerStream: number, standIns: StandIns): Promise<StandInService> {
    await using stack = new AsyncDisposableStack()
    const start = (file: string) => stack.use(startProcess(new URL(file, import.meta.url)))
    const redis = stack.adopt(await startRedis(), server => server.close())
    const exchange = start('exchange-process.ts')
    const symbols = Array.from({ length: symbolCount }, (_, index) => `SYM${index}USDT`)
    const { streamUrl } = await exchange.ask<ExchangeAddress>('open', { symbols })
    const place = { streamUrl, redisUrl: redis.url, redisPort: redis.port, symbols }
    const processes = new Map<string, { readonly pid: number }>(Object.entries({ redis, exchange }))
    const answers = new Map<string, unknown>()
    for (const name of ORDER) {
      const { file, question, argument } = standIns[name]
      const process = start(file)
      processes.set(name, process)
      answers.set(name, await process.ask(question, argument(place)))
    }
    const clients = stack.use(new LoadClients())
    processes.set('clients', clients)
    const following = { symbols, symbolsPerStream, interval: '1m', reads: true }
    const port = answers.get('edge') as number
    await clients.open({ ...following, port, streams: symbolCount, streamsPerConnection: 1 })
    return new StandInService(stack.move(), clients, exchange, processes)
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

  /** What is under way is seen at the clients alone. */
  async lag(): Promise<number> {
    return 0
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
