import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { encodeBar } from '@chart/grpc'
import { type BarText, intervalOf } from '@chart/market'
import { openLog, Registry } from '@chart/service'
import { expect, test } from 'vitest'
import type { HistoryTelling } from './history.ts'
import { openMetrics, type StreamEnd } from './metrics.ts'
import { PageStream } from './page-stream.ts'
import { SeriesLine } from './series-line.ts'
import { positionsOfId } from './stream-position.ts'

const MINUTE = 60_000

/** A connection that takes what is written until the test says that it is full. */
class TestResponse extends EventEmitter {
  readonly written: string[] = []
  isFull = false
  isDestroyed = false

  write(text: string): boolean {
    this.written.push(text)
    return !this.isFull
  }

  read(): void {
    this.isFull = false
    this.emit('drain')
  }

  end(): void {
    this.emit('close')
  }

  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

function barOf(minute: number, state: BarText['state'], tradeCount: number): BarText {
  const openTime = minute * MINUTE
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE - 1,
    open: '1',
    high: '1',
    low: '1',
    close: '1',
    baseVolume: '1',
    quoteVolume: '1',
    takerBuyBaseVolume: '0',
    takerBuyQuoteVolume: '0',
    tradeCount,
    firstTradeId: 1,
    lastTradeId: tradeCount,
    state,
    revision: 0,
    complete: true,
  }
}

/** A stream of one series, of which the test answers the questions for history. */
function openStream(from?: number) {
  const response = new TestResponse()
  const line = new SeriesLine('BTCUSDT', intervalOf('1m'))
  const asked: { from: number | undefined; answer: PromiseWithResolvers<HistoryTelling | undefined> }[] = []
  const ended: StreamEnd[] = []
  const stream = new PageStream({
    response: response as unknown as ServerResponse,
    series: [{ line, tag: '{p00}', from: from === undefined ? undefined : from * MINUTE }],
    history: {
      bring(_series, position) {
        const answer = Promise.withResolvers<HistoryTelling | undefined>()
        asked.push({ from: position === undefined ? undefined : position / MINUTE, answer })
        return answer.promise
      },
    },
    feeds: { follow: () => () => undefined, eventText: () => undefined },
    metrics: openMetrics(new Registry()),
    log: openLog('page-stream-test', 'error'),
    onEnd: reason => ended.push(reason),
  })
  stream.start()
  return {
    stream,
    response,
    line,
    asked,
    ended,
    live: (minute: number, tradeCount = 1) =>
      line.setLive(minute * MINUTE, encodeBar(barOf(minute, 'live', tradeCount))),
    close: (minute: number) => line.tellClosed(minute * MINUTE, encodeBar(barOf(minute, 'closed', 1))),
    answer: (index: number, newestMinute: number, replace = false) =>
      asked[index]!.answer.resolve({
        text: `event: history\ndata: ${index}\n`,
        replace,
        newestOpenTime: newestMinute * MINUTE,
      }),
    /** What the page was told, in short, and the minute of the newest position. */
    told() {
      const blocks = response.written.join('').split('\n\n')
      return blocks.flatMap(block => {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data === undefined) return []
        if (/^\d+$/.test(data)) return [`history ${data}`]
        const bar = JSON.parse(data) as BarText
        return [`${bar.openTime / MINUTE} ${bar.state} ${bar.tradeCount}`]
      })
    },
    position() {
      const id = [...response.written.join('').matchAll(/^id: (.*)$/gm)].at(-1)?.[1]
      const time = id === undefined ? undefined : positionsOfId(id, 1)![0]
      return time === undefined ? undefined : time / MINUTE
    },
  }
}

const turns = () => new Promise(resolve => setTimeout(resolve, 30))

test('live bars do not wait for the history, and the position waits for it', async () => {
  const { live, close, answer, told, position, asked } = openStream(3)
  live(5)
  await turns()
  close(5)
  live(6)
  await turns()
  expect(told()).toEqual(['5 live 1', '5 closed 1', '6 live 1'])
  expect(position()).toBe(3)
  answer(0, 4)
  await turns()
  expect(asked.map(one => one.from)).toEqual([3])
  expect(told().at(-1)).toBe('history 0')
  expect(position()).toBe(6)
})

test('after a history that replaces what the page holds comes again what was told before it', async () => {
  const { live, close, answer, told } = openStream()
  live(5)
  await turns()
  close(5)
  live(6)
  await turns()
  answer(0, 4, true)
  await turns()
  expect(told().slice(-3)).toEqual(['history 0', '5 closed 1', '6 live 1'])
})

test('where more was missed while history was asked for, that answer is not told, and the position stays', async () => {
  const { line, live, answer, told, position, asked } = openStream(3)
  line.tellMissed()
  live(9)
  answer(0, 4)
  await turns()
  expect(told()).toEqual(['9 live 1'])
  expect(position()).toBe(3)
  expect(asked.map(one => one.from)).toEqual([3, 3])
  answer(1, 8)
  await turns()
  expect(told()).toEqual(['9 live 1', 'history 1'])
  expect(position()).toBe(9)
  line.tellMissed()
  await turns()
  expect(asked.map(one => one.from)).toEqual([3, 3, 9])
})

test('a history that waits for the page to read is dropped when more was missed', async () => {
  const { line, response, live, answer, told, asked } = openStream(3)
  response.isFull = true
  live(9)
  await turns()
  answer(0, 4)
  await turns()
  line.tellMissed()
  await turns()
  response.read()
  await turns()
  expect(told()).toEqual(['9 live 1'])
  expect(asked.length).toBe(2)
})

test('for a page that does not read only the newest live bar waits, and every closed one', async () => {
  const { response, live, close, answer, told } = openStream(3)
  answer(0, 4)
  response.isFull = true
  live(5)
  await turns()
  for (let tradeCount = 2; tradeCount < 6; tradeCount++) {
    live(5, tradeCount)
    await turns()
  }
  close(5)
  close(6)
  live(7, 1)
  await turns()
  live(7, 2)
  await turns()
  const before = told().length
  response.read()
  await turns()
  expect(told().slice(before)).toEqual(['5 closed 1', '6 closed 1', '7 live 2'])
})

test('a thousand closed bars wait; with one more the stream ends and nothing follows it', async () => {
  const { line, response, close, ended } = openStream(3)
  response.isFull = true
  close(0)
  await turns()
  for (let minute = 1; minute <= 1_000; minute++) close(minute)
  expect(ended).toEqual([])
  close(1_001)
  expect(ended).toEqual(['slow'])
  expect(response.isDestroyed).toBe(true)
  expect(line.isFollowed).toBe(false)
  const written = response.written.length
  close(1_002)
  response.read()
  await turns()
  expect(response.written.length).toBe(written)
})

test('a page that leaves asks for nothing more', async () => {
  const { response, line, asked, ended, stream } = openStream(3)
  response.end()
  expect([ended, line.isFollowed, stream.signal.aborted]).toEqual([['left'], false, true])
  asked[0]!.answer.resolve(undefined)
  await turns()
  expect(asked.length).toBe(1)
})
