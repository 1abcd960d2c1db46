import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BinanceRest, type TradePage, tradesFrom } from '../src/index.ts'
import { type Answer, blankedRowOf, RestServer, rowOf } from './rest-server.ts'

let server: RestServer

beforeEach(async () => {
  server = await RestServer.open()
})
afterEach(async () => {
  await server.close()
})

/** Answers historicalTrades from these rows. */
function exchangeOf(rows: readonly Record<string, unknown>[]) {
  return ({ query }: { query: Record<string, string> }): Answer => ({
    body: rows.filter(row => (row.id as number) >= Number(query.fromId)).slice(0, Number(query.limit)),
  })
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function collect(
  fromId: number,
  options: { untilId?: number; signal?: AbortSignal; random?: () => number } = {},
) {
  const rest = new BinanceRest({ apiUrl: server.url, weightMaxPerMinute: 1_000_000 })
  const pages: TradePage[] = []
  const settings = { signal: new AbortController().signal, holeConfirmMs: 0, random: () => 0, ...options }
  for await (const page of tradesFrom(rest, 'BTCUSDT', fromId, settings)) pages.push(page)
  return pages
}

/** Pages as ids, with a hole as text. */
function told(pages: readonly TradePage[]): (number | string)[] {
  return pages.flatMap(({ trades, holeUpTo }) => [
    ...(holeUpTo === undefined ? [] : [`hole up to ${holeUpTo}`]),
    ...trades.map(trade => trade.tradeId),
  ])
}

describe('trades from an id', () => {
  it('come page by page without a hole until the exchange has no more', async () => {
    server.answer = exchangeOf(range(1, 2_500).map(rowOf))
    expect(told(await collect(11))).toEqual(range(11, 2_500))
    expect(server.asked.map(({ query }) => query.fromId)).toEqual(['11', '1011', '2011'])
  })

  it('end with an empty page when the last one was full', async () => {
    server.answer = exchangeOf(range(1, 1_000).map(rowOf))
    expect(told(await collect(1))).toEqual(range(1, 1_000))
    expect(server.asked).toHaveLength(2)
  })

  it('end once the wanted id has passed, and cost nothing when it is behind', async () => {
    server.answer = exchangeOf(range(1, 5_000).map(rowOf))
    expect(told(await collect(1, { untilId: 1_000 }))).toEqual(range(1, 1_000))
    expect(told(await collect(1, { untilId: 1_001 }))).toEqual(range(1, 2_000))
    expect(server.asked).toHaveLength(3)
    expect(await collect(5, { untilId: 4 })).toEqual([])
    expect(server.asked).toHaveLength(3)
  })

  it('name a hole of the exchange where it stands', async () => {
    server.answer = exchangeOf([...range(5, 6), ...range(9, 10)].map(rowOf))
    expect(told(await collect(1))).toEqual(['hole up to 5', 5, 6, 'hole up to 9', 9, 10])
  })

  it('count blanked rows as a hole, also at the end and over whole pages', async () => {
    server.answer = exchangeOf([rowOf(1), blankedRowOf(2), rowOf(3), blankedRowOf(4)])
    expect(told(await collect(1))).toEqual([1, 'hole up to 3', 3, 'hole up to 5'])
    server.answer = exchangeOf([...range(1, 1_500).map(blankedRowOf), rowOf(1_501)])
    expect(told(await collect(1))).toEqual(['hole up to 1001', 'hole up to 1501', 1_501])
  })

  it('believe in a hole only when the exchange says so twice', async () => {
    const late = exchangeOf(range(5, 10).map(rowOf))
    const whole = exchangeOf(range(1, 10).map(rowOf))
    server.answer = asked => (server.asked.length === 1 ? late(asked) : whole(asked))
    expect(told(await collect(1))).toEqual(range(1, 10))
  })

  it('are asked for again after whatever passes, and none is skipped or repeated', async () => {
    const exchange = exchangeOf(range(1, 3_500).map(rowOf))
    const troubles: Answer[] = [{ status: 500 }, { status: 503, body: '<html>' }, { body: 'cut' }, { body: [rowOf(0)] }]
    server.answer = (asked, response) => {
      const turn = server.asked.length % 6
      if (turn === 5) {
        response.destroy()
        return undefined
      }
      return troubles[turn - 1] ?? exchange(asked)
    }
    expect(told(await collect(1))).toEqual(range(1, 3_500))
  })

  it('wait out a 429', async () => {
    const exchange = exchangeOf([rowOf(1)])
    server.answer = asked =>
      server.asked.length === 1 ? { status: 429, headers: { 'retry-after': '1' } } : exchange(asked)
    expect(told(await collect(1))).toEqual([1])
    expect(server.asked[1]!.time - server.asked[0]!.time).toBeGreaterThanOrEqual(995)
  })

  it('end with an error that asking again cannot cure', async () => {
    server.answer = () => ({ status: 400, body: { code: -1121, msg: 'Invalid symbol.' } })
    await expect(collect(1)).rejects.toMatchObject({ name: 'RestError', code: -1121, retryable: false })
    expect(server.asked).toHaveLength(1)
  })

  it('end when aborted, also while waiting to ask again', async () => {
    server.answer = () => ({ status: 500 })
    const stop = new AbortController()
    const pages = collect(1, { signal: stop.signal, random: () => 0.999 })
    await server.untilAsked(1)
    stop.abort(new Error('stopping'))
    await expect(pages).rejects.toThrow('stopping')
  })

  it('are exactly what the exchange has, with every hole between them named, whatever it has', async () => {
    const row = fc.record({
      skip: fc.constantFrom(0, 0, 0, 1, 7),
      blanked: fc.boolean(),
      run: fc.integer({ min: 1, max: 400 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), fc.nat(50), async (parts, fromId) => {
        const rows: Record<string, unknown>[] = []
        let id = 0
        for (const { skip, blanked, run } of parts) {
          id += skip
          for (let count = 0; count < run; count++) rows.push(blanked ? blankedRowOf(++id) : rowOf(++id))
        }
        server.answer = exchangeOf(rows)
        const pages = await collect(fromId)
        let nextId = fromId
        const ids: number[] = []
        for (const { trades, holeUpTo } of pages) {
          if (holeUpTo !== undefined) {
            expect(holeUpTo).toBeGreaterThan(nextId)
            nextId = holeUpTo
          }
          for (const trade of trades) {
            expect(trade.tradeId).toBe(nextId++)
            ids.push(trade.tradeId)
          }
        }
        const expected = rows
          .filter(row => row.price !== '0.00000000' && (row.id as number) >= fromId)
          .map(row => row.id)
        expect(ids).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})
