import { BinanceRest } from '@chart/binance'
import { openLog } from '@chart/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NewestTrades } from '../src/newest-trades.ts'
import { openStatisticsServer, SERVER_TIME, type StatisticsServer } from './statistics-server.ts'

/** Newest trades of many symbols: what is believed of an answer, and what is asked for again. */

const SYMBOLS = Array.from({ length: 12 }, (_, index) => `SYM${index}USDT`)

let server: StatisticsServer
let stop: AbortController
beforeEach(async () => {
  server = await openStatisticsServer()
  stop = new AbortController()
  for (const [index, symbol] of SYMBOLS.entries()) server.newestIds.set(symbol, 1_000 + index)
})
afterEach(async () => {
  stop.abort()
  await server[Symbol.asyncDispose]()
})

const openNewest = () =>
  new NewestTrades({
    rest: new BinanceRest({ apiUrl: server.url, signal: stop.signal }),
    log: openLog('test', 'silent'),
    signal: stop.signal,
  })

/** A statistic that is right and covers the trades until after it was asked for. */
const rightOf = (symbol: string) => ({ lastId: server.newestIds.get(symbol)!, count: 5, closeTime: SERVER_TIME })

const feedOf = (symbol: string, seenId = -1) => ({ symbol, sequence: { seenId } as never })
const ask = (newest: NewestTrades, symbols = SYMBOLS) => Promise.all(symbols.map(symbol => newest.ask(feedOf(symbol))))

const idsOf = (answers: readonly { tradeId: number | undefined }[]) => answers.map(({ tradeId }) => tradeId)
const RIGHT_IDS = SYMBOLS.map((_, index) => 1_000 + index)
const singly = () => server.asked.filter(asked => asked.startsWith('/api/v3/aggTrades')).length
const together = () => server.asked.filter(asked => asked.startsWith('/api/v3/ticker/24hr')).length

test('many are asked for together, after the time, and come in the order in which they are traded', async () => {
  server.statistics = symbol => ({ ...rightOf(symbol), count: symbol === 'SYM7USDT' ? 900 : 5 })
  const order: string[] = []
  const newest = openNewest()
  const answers = await Promise.all(
    SYMBOLS.map(async symbol => {
      const answer = await newest.ask(feedOf(symbol))
      order.push(symbol)
      return answer
    }),
  )
  expect(idsOf(answers)).toEqual(RIGHT_IDS)
  expect(answers[7]).toMatchObject({ askedTime: SERVER_TIME, tradeCount: 900 })
  expect(answers[7]!.answeredTime).toBeGreaterThanOrEqual(SERVER_TIME)
  expect(order[0]).toBe('SYM7USDT')
  expect(server.asked).toEqual(['/api/v3/time', `/api/v3/ticker/24hr ${JSON.stringify(SYMBOLS)}`])
})

test('few are asked for singly', async () => {
  expect(idsOf(await ask(openNewest(), SYMBOLS.slice(0, 3)))).toEqual(RIGHT_IDS.slice(0, 3))
  expect([singly(), together()]).toEqual([3, 0])
})

test('the same symbol asked for twice before the question is sent is one question', async () => {
  const newest = openNewest()
  await Promise.all([newest.ask(feedOf('SYM1USDT')), newest.ask(feedOf('SYM1USDT'), 5_000)])
  expect(singly()).toBe(1)
})

test('a question that can wait goes along with one that cannot', async () => {
  server.statistics = rightOf
  const newest = openNewest()
  const patient = SYMBOLS.slice(1).map(symbol => newest.ask(feedOf(symbol), 3_600_000))
  await newest.ask(feedOf(SYMBOLS[0]!))
  expect(idsOf(await Promise.all(patient))).toEqual(RIGHT_IDS.slice(1))
  expect(together()).toBe(1)
})

test('a statistic from before the question is no answer: it is asked for again', async () => {
  server.statistics = (symbol, round) =>
    round === 0 ? { lastId: 7, count: 5, closeTime: SERVER_TIME - 1 } : rightOf(symbol)
  expect(idsOf(await ask(openNewest()))).toEqual(RIGHT_IDS)
  expect([singly(), together()]).toEqual([0, 2])
})

test('who is answered first knows how much the others are traded, whose statistics were too old', async () => {
  const count = (symbol: string) => 100 + SYMBOLS.indexOf(symbol)
  const isOld = (symbol: string, round: number) => round === 0 && symbol !== 'SYM3USDT'
  server.statistics = (symbol, round) => ({
    ...rightOf(symbol),
    count: count(symbol),
    closeTime: SERVER_TIME - (isOld(symbol, round) ? 1 : 0),
  })
  const newest = openNewest()
  const first = await Promise.race(SYMBOLS.map(async symbol => ({ symbol, ...(await newest.ask(feedOf(symbol))) })))
  expect(first).toMatchObject({ symbol: 'SYM3USDT', tradeCount: 103 })
  expect(first.tradeCounts).toEqual(SYMBOLS.map(count).toReversed())
})

test('symbols whose statistics stand still are asked for singly in the end', async () => {
  server.statistics = symbol => ({ ...rightOf(symbol), lastId: 7, closeTime: SERVER_TIME - 86_400_000 })
  expect(idsOf(await ask(openNewest()))).toEqual(RIGHT_IDS)
  expect([singly(), together()]).toEqual([12, 3])
})

test('a symbol without a trade in 24 hours is asked for singly, and never having had one is an answer', async () => {
  server.statistics = symbol =>
    ['SYM3USDT', 'SYM4USDT'].includes(symbol) ? { lastId: -1, count: 0, closeTime: SERVER_TIME } : rightOf(symbol)
  server.newestIds.delete('SYM4USDT')
  const ids = idsOf(await ask(openNewest()))
  expect(ids).toEqual(RIGHT_IDS.map((id, index) => (index === 4 ? undefined : id)))
  expect([singly(), together()]).toEqual([2, 1])
})

test('an exchange that has no statistics, or none of one of the symbols, is asked for each', async () => {
  expect(idsOf(await ask(openNewest()))).toEqual(RIGHT_IDS)
  server.status = 404
  expect(idsOf(await ask(openNewest()))).toEqual(RIGHT_IDS)
  expect(singly()).toBe(24)
})

test('statistics that claim to be recent and are behind what we know are not believed, nor asked for again for a while', async () => {
  server.statistics = symbol => ({ ...rightOf(symbol), lastId: 500 })
  const newest = openNewest()
  const known = newest.ask(feedOf('SYM2USDT', 501))
  expect(idsOf(await ask(newest))).toEqual(RIGHT_IDS)
  expect((await known).tradeId).toBe(1_002)
  server.statistics = rightOf
  expect(idsOf(await ask(newest))).toEqual(RIGHT_IDS)
  expect([singly(), together()]).toEqual([24, 1])
})

test('what the exchange refuses for one symbol fails for that one alone', async () => {
  server.newestIds.set('SYM5USDT', Number.NaN)
  const newest = openNewest()
  const failing = newest.ask(feedOf('SYM5USDT'))
  const others = SYMBOLS.filter(symbol => symbol !== 'SYM5USDT')
  expect(idsOf(await ask(newest, others))).toEqual(RIGHT_IDS.filter(id => id !== 1_005))
  stop.abort(new Error('enough'))
  await expect(failing).rejects.toThrow('enough')
})
