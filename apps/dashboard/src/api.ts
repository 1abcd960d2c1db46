import type { Interval } from '@chart/market'
import type { RedisCommands } from '@chart/redis'
import type { History } from './history.ts'
import type { Route } from './http-server.ts'
import type { PageStreams } from './page-streams.ts'
import { checkInterval, checkLimit, checkSymbol, checkTime } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'
import { SymbolsAnswers } from './symbols-answer.ts'

/** Routes of what the page asks for, as wire.ts says. */
export function apiRoutes(options: {
  readonly served: ServedSymbols
  readonly redis: RedisCommands
  readonly intervals: readonly Interval[]
  readonly history: History
  readonly streams: PageStreams
}): Map<string, Route> {
  const { served, intervals, history, streams } = options
  const symbols = new SymbolsAnswers(options)
  return new Map<string, Route>([
    ['/api/symbols', async () => ({ body: await symbols.text() })],
    [
      '/api/bars',
      async query => {
        const all = { symbols: await served.all(), intervals }
        const { symbol } = checkSymbol(query.get('symbol') ?? '', all)
        const interval = checkInterval(query.get('interval') ?? '', all).name
        const before = checkTime(query.get('before'), 'before')
        const limit = checkLimit(query.get('limit'))
        return { body: await history.before({ symbol, interval }, before, limit) }
      },
    ],
    [
      '/api/stream',
      async (query, request, response) => {
        await streams.open(request, response, query)
        return undefined
      },
    ],
  ])
}
