import { describe, expect, it } from 'vitest'
import { ServedView } from './served-view.ts'

const answer = (lastTradeTime: number, state: 'live' | 'stale' = 'live') => ({
  symbols: [
    {
      symbol: 'BTCUSDT',
      status: 'TRADING',
      tickSize: '0.01000000',
      stepSize: '0.00001000',
      simulated: true,
      feed: { symbol: 'BTCUSDT', state, lastTradeTime },
    },
  ],
  intervals: ['1m'],
})

describe('what is served', () => {
  it('has the feed as the stream told it, once it has', () => {
    const served = new ServedView()
    expect(served.view('BTCUSDT')).toBeUndefined()
    served.take(answer(1_000))
    expect(served.view('BTCUSDT')!.feed.state).toBe('live')
    served.takeFeed({ symbol: 'BTCUSDT', state: 'halted' })
    served.take(answer(2_000))
    expect(served.view('BTCUSDT')!.feed.state).toBe('halted')
    expect(served.views.map(({ feed }) => feed.state)).toEqual(['halted'])
  })

  it('counts a trade that was drawn', () => {
    const served = new ServedView()
    served.take(answer(1_000))
    served.takeFeed({ symbol: 'BTCUSDT', state: 'live', lastTradeTime: 1_000 })
    served.heardTrade('BTCUSDT', 5_000)
    expect(served.view('BTCUSDT')!.feed.lastTradeTime).toBe(5_000)
    served.heardTrade('BTCUSDT', 4_000)
    expect(served.view('BTCUSDT')!.feed.lastTradeTime).toBe(5_000)
  })
})
