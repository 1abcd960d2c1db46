import { feedStateName, type ListSymbolsResponse, timestampOfTime } from '@chart/grpc'
import { type RedisCommands, readFeedStatus, readSymbolInfos } from '@chart/redis'
import type { ServedSymbols } from './served-symbols.ts'

/** ListSymbols: what is served, by name. */
export async function listSymbols(options: {
  served: ServedSymbols
  redis: RedisCommands
}): Promise<ListSymbolsResponse> {
  const { symbols, intervals } = await options.served.all()
  const tagged = [...symbols].map(([symbol, tag]) => ({ symbol, tag })).sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
  const [infos, feeds] = await Promise.all([
    readSymbolInfos(options.redis, tagged),
    readFeedStatus(options.redis, tagged),
  ])
  return {
    symbols: infos.map((info, index) => {
      const feed = feeds[index]!
      return {
        ...info,
        intervals: [...intervals],
        feed: {
          symbol: info.symbol,
          state: feedStateName(feed.state),
          lastTradeId: feed.lastTradeId,
          lastTradeTime: feed.lastTradeTime > 0 ? timestampOfTime(feed.lastTradeTime) : null,
          watermark: feed.watermark > 0 ? timestampOfTime(feed.watermark) : null,
          age: feed.ageMs === undefined ? null : timestampOfTime(feed.ageMs),
        },
      }
    }),
  }
}
