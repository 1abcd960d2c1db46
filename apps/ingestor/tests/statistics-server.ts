import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A symbol's statistic of 24 hours. */
export interface Statistic {
  readonly lastId: number
  readonly count: number
  readonly closeTime: number
}

/** The exchange as far as newest trades go: it answers as the test says, and remembers what it was asked. */
export interface StatisticsServer extends AsyncDisposable {
  readonly url: string
  /** Paths with the symbols asked for. */
  readonly asked: string[]
  /** The newest trades as the list of trades has them. */
  readonly newestIds: Map<string, number>
  /** What the statistics say at the n-th asking, from 0; undefined: not found. */
  statistics: (symbol: string, round: number) => Statistic | undefined
  /** Answers questions for statistics with this status instead. */
  status: number
}

export const SERVER_TIME = 1_775_571_561_644

export async function openStatisticsServer(): Promise<StatisticsServer> {
  let rounds = 0
  const answer = (path: string, query: URLSearchParams): { status?: number; body: unknown } => {
    if (path === '/api/v3/time') return { body: { serverTime: SERVER_TIME } }
    if (path === '/api/v3/aggTrades') {
      const newest = own.newestIds.get(query.get('symbol')!)
      return { body: newest === undefined ? [] : [{ a: newest, f: newest, l: newest }] }
    }
    const round = rounds++
    if (own.status !== 200) return { status: own.status, body: { code: -1000, msg: 'no' } }
    const symbols: string[] = JSON.parse(query.get('symbols')!)
    const rows = symbols.map(symbol => ({ symbol, statistic: own.statistics(symbol, round) }))
    if (rows.some(({ statistic }) => statistic === undefined)) {
      return { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } }
    }
    return { body: rows.map(({ symbol, statistic }) => ({ symbol, ...statistic })) }
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://exchange')
    own.asked.push([pathname, searchParams.get('symbol') ?? searchParams.get('symbols')].filter(Boolean).join(' '))
    const { status = 200, body } = answer(pathname, searchParams)
    response.writeHead(status).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own: StatisticsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    newestIds: new Map(),
    statistics: () => undefined,
    status: 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return own
}
