import { decodeUpdate } from '@chart/grpc'
import {
  closedTextOf,
  EXCHANGE_SCALES,
  intervalsOf,
  liveTextOf,
  packTrades,
  type SymbolBars,
  symbolBarsOfText,
  type Trade,
  unpackTrades,
} from '@chart/market'
import type { LogBlock, LogEntry, PartitionPosition } from '@chart/redis'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldEntries, LostStateError } from './fold.ts'
import { BATCH_BYTES_MAX, batchesOf } from './partition-worker.ts'

/** The beginning of an hour. */
const START_TIME = 1_723_161_600_000
const OPTIONS = { intervals: intervalsOf(['1s', '1m', '5m', '1h']), persistedIntervals: new Set(['1m', '5m', '1h']) }
const AT: PartitionPosition = { pos: 0, rev: 0 }

function tradeOf(tradeId: number, tradeTime: number): Trade {
  return {
    tradeId,
    tradeTime,
    price: 6_183_763_000_000n + BigInt((tradeId * 7_919) % 1_000) * 1_000_000n,
    quantity: BigInt(1 + (tradeId % 5)) * 1_000n,
    takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
  }
}

function blockOf(symbol: string, trades: readonly Trade[], more: Partial<LogBlock> = {}): LogBlock {
  return {
    symbol,
    seed: undefined,
    holeBefore: false,
    afterHalt: false,
    packed: trades.length === 0 ? undefined : packTrades(trades, EXCHANGE_SCALES),
    restated: undefined,
    watermark: 0,
    ...more,
  }
}

const seedOf = (symbol: string, lastTradeId = 0) =>
  blockOf(symbol, [], { seed: { lastTradeId, sinceTime: START_TIME, scales: EXCHANGE_SCALES } })

const entriesOf = (blocks: readonly (readonly LogBlock[])[], after = 0): LogEntry[] =>
  blocks.map((of, index) => ({
    n: after + index + 1,
    nonce: `nonce-${after + index + 1}`,
    writtenTime: START_TIME,
    blocks: of,
  }))

const textsOf = (symbols: ReadonlyMap<string, SymbolBars>) =>
  [...symbols].map(([symbol, bars]) => [symbol, liveTextOf(bars), closedTextOf(bars)]).sort()

/** A log of a few symbols with everything that a block can say, as the ingestor would write it. */
const logs = fc
  .array(
    fc.record({
      symbol: fc.constantFrom('AAA', 'BBB'),
      trades: fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 8 }),
      late: fc.boolean(),
      hole: fc.boolean(),
      afterHalt: fc.boolean(),
      watermark: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map(steps => {
    const heads = new Map<string, { id: number; time: number }>()
    const blocks: LogBlock[][] = []
    for (const step of steps) {
      const head = heads.get(step.symbol) ?? { id: 0, time: START_TIME }
      if (!heads.has(step.symbol)) blocks.push([seedOf(step.symbol)])
      if (step.hole) head.id += 3
      const trades = step.trades.map(ms => {
        head.time += ms
        return tradeOf(++head.id, step.late ? head.time - 1_500 : head.time)
      })
      if (step.hole && trades.length === 0) head.id -= 3
      heads.set(step.symbol, head)
      blocks.push([
        blockOf(step.symbol, trades, {
          holeBefore: step.hole && trades.length > 0,
          afterHalt: step.afterHalt && trades.length > 0,
          watermark: step.watermark ? head.time - (head.time % 1_000) : 0,
        }),
      ])
    }
    return entriesOf(blocks)
  })

/** Folds `entries` in batches of these sizes, reloading the state from its texts in between where `reload` says so. */
function foldInBatches(entries: readonly LogEntry[], sizes: readonly number[], reload = false) {
  let symbols = new Map<string, SymbolBars>()
  let at = AT
  const live = new Map<string, string>()
  const told = new Map<string, { closed: string[]; stored: string[]; trades: number[] }>()
  const toldOf = (symbol: string) => {
    const known = told.get(symbol) ?? { closed: [], stored: [], trades: [] }
    told.set(symbol, known)
    return known
  }
  for (let start = 0, turn = 0; start < entries.length; turn++) {
    const size = sizes.length === 0 ? entries.length : sizes[turn % sizes.length]!
    const { batch } = foldEntries(symbols, at, entries.slice(start, start + size), OPTIONS)
    expect([batch.at, batch.nonce]).toEqual([at, entries[Math.min(start + size, entries.length) - 1]!.nonce])
    const update = decodeUpdate(batch.update)
    expect([update.previousPosition, update.position]).toEqual([at.pos, batch.newPos])
    for (const symbol of update.symbols) {
      toldOf(symbol.symbol).closed.push(
        ...symbol.closed.map(bar => `${bar.interval} ${Buffer.from(bar.bar).toString('hex')}`),
      )
      toldOf(symbol.symbol).trades.push(
        ...symbol.trades.flatMap(run => unpackTrades(run).trades.map(({ tradeId }) => tradeId)),
      )
    }
    for (const of of batch.symbols) {
      for (const bar of of.live) live.set(`${bar.symbol} ${bar.interval}`, JSON.stringify(bar))
      toldOf(of.bars.symbol).stored.push(...of.stored.map(bar => JSON.stringify(bar)))
    }
    at = { pos: batch.newPos, rev: at.rev + 1 }
    start += size
    if (reload) {
      symbols = new Map(
        [...symbols].map(([symbol, bars]) => [
          symbol,
          symbolBarsOfText(symbol, OPTIONS.intervals, { live: liveTextOf(bars), closed: closedTextOf(bars) }),
        ]),
      )
    }
  }
  return { state: textsOf(symbols), live, told }
}

test('however a log is cut into batches, and wherever another owner takes over, the bars are the same', () => {
  fc.assert(
    fc.property(logs, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), (entries, sizes) => {
      const whole = foldInBatches(entries, [])
      expect(foldInBatches(entries, sizes)).toEqual(whole)
      expect(foldInBatches(entries, sizes, true)).toEqual(whole)
    }),
    { numRuns: 400 },
  )
})

test('entries that are folded again change nothing', () => {
  fc.assert(
    fc.property(logs, fc.nat(), (entries, from) => {
      const symbols = new Map<string, SymbolBars>()
      foldEntries(symbols, AT, entries, OPTIONS)
      const before = textsOf(symbols)
      const again = entries.slice(from % entries.length)
      const { batch, counts } = foldEntries(symbols, AT, again, OPTIONS)
      expect(textsOf(symbols)).toEqual(before)
      expect(batch.symbols.flatMap(({ stored }) => stored)).toEqual([])
      expect([counts.closed, counts.corrected, counts.duplicates]).toEqual([0, 0, counts.trades])
    }),
    { numRuns: 300 },
  )
})

test('only changed live bars are written, the closed ones that are persisted enter the outbox, and all are told', () => {
  const symbols = new Map<string, SymbolBars>()
  const first = foldEntries(
    symbols,
    AT,
    entriesOf([[seedOf('AAA')], [blockOf('AAA', [tradeOf(1, START_TIME)])]]),
    OPTIONS,
  )
  expect(first.batch.symbols[0]!.live.map(({ interval }) => interval)).toEqual(['1s', '1m', '5m', '1h'])
  expect(first.batch.symbols[0]!.closedIntervals).toEqual(new Set())
  const closing = foldEntries(
    symbols,
    AT,
    entriesOf([[blockOf('AAA', [], { watermark: START_TIME + 60_000 })]], 2),
    OPTIONS,
  )
  const { live, stored, closedIntervals } = closing.batch.symbols[0]!
  expect(live.map(({ interval }) => interval)).toEqual(['1s', '1m'])
  expect(stored.map(({ interval }) => interval)).toEqual(['1m'])
  expect([...closedIntervals]).toEqual(['1s', '1m'])
  expect(decodeUpdate(closing.batch.update).symbols[0]!.closed.map(({ interval }) => interval)).toEqual([
    ...Array.from({ length: 60 }, () => '1s'),
    '1m',
  ])
})

test('a symbol without bars must be begun by a seed', () => {
  const entries = entriesOf([[blockOf('AAA', [tradeOf(5, START_TIME)])]])
  expect(() => foldEntries(new Map(), AT, entries, OPTIONS)).toThrow(LostStateError)
})

test('trades that do not follow on from the bars are refused unless the exchange has a hole there', () => {
  const begun = () => {
    const symbols = new Map<string, SymbolBars>()
    foldEntries(symbols, AT, entriesOf([[seedOf('AAA', 4)], [blockOf('AAA', [tradeOf(5, START_TIME)])]]), OPTIONS)
    return symbols
  }
  const jump = [tradeOf(8, START_TIME + 1)]
  expect(() => foldEntries(begun(), AT, entriesOf([[blockOf('AAA', jump)]]), OPTIONS)).toThrow(
    'the log goes on with trade 8 of AAA, the bars end at 5',
  )
  const { counts, batch } = foldEntries(begun(), AT, entriesOf([[blockOf('AAA', jump, { holeBefore: true })]]), OPTIONS)
  expect(counts.missing).toBe(2)
  expect(batch.symbols[0]!.live.map(({ complete }) => complete)).toEqual([false, false, false, false])
})

test('a seed that comes again does not begin known bars anew', () => {
  const symbols = new Map<string, SymbolBars>()
  foldEntries(symbols, AT, entriesOf([[seedOf('AAA')], [blockOf('AAA', [tradeOf(1, START_TIME)])]]), OPTIONS)
  const before = textsOf(symbols)
  foldEntries(symbols, AT, entriesOf([[seedOf('AAA')]]), OPTIONS)
  expect(textsOf(symbols)).toEqual(before)
})

test('after a halt no bars are made for its time, and after that silence is silence again', () => {
  const bars = (afterHalt: boolean) => {
    const later = [tradeOf(2, START_TIME + 180_000), tradeOf(3, START_TIME + 300_000)]
    const entries = entriesOf([
      [seedOf('AAA')],
      [blockOf('AAA', [tradeOf(1, START_TIME)])],
      [blockOf('AAA', later, { afterHalt })],
    ])
    const { batch } = foldEntries(new Map(), AT, entries, OPTIONS)
    return batch.symbols[0]!.stored.filter(({ interval }) => interval === '1m').map(bar => bar.openTime - START_TIME)
  }
  expect(bars(false)).toEqual([0, 60_000, 120_000, 180_000, 240_000])
  expect(bars(true)).toEqual([0, 180_000, 240_000])
})

test('a backlog is cut into commits of bounded size, none empty, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 * BATCH_BYTES_MAX }), { maxLength: 50 }), sizes => {
      const entries = entriesOf(
        sizes.map(bytes => [blockOf('AAA', [], { packed: bytes === 0 ? undefined : new Uint8Array(bytes) })]),
      )
      const batches = batchesOf(entries)
      expect(batches.flat()).toEqual(entries)
      for (const batch of batches) {
        const bytes = batch.reduce((sum, { blocks }) => sum + (blocks[0]!.packed?.length ?? 0), 0)
        expect(batch.length).toBeGreaterThan(0)
        expect(batch.length === 1 || bytes <= BATCH_BYTES_MAX).toBe(true)
      }
    }),
  )
})

test('a burst of late trades stores the bar that it restates once, in its last revision, and tells every revision', () => {
  const first = [tradeOf(1, START_TIME), tradeOf(2, START_TIME + 60_000)]
  const late = [3, 4, 5, 6].map(id => tradeOf(id, START_TIME + 30_000))
  const blocks = [[seedOf('AAA')], [blockOf('AAA', first)], [blockOf('AAA', late)]]
  const symbols = new Map<string, SymbolBars>()
  const [begin, next] = [entriesOf(blocks).slice(0, 2), entriesOf(blocks).slice(2)]
  foldEntries(symbols, AT, begin, OPTIONS)
  const { batch, counts } = foldEntries(symbols, { pos: 2, rev: 1 }, next, OPTIONS)
  expect(batch.symbols[0]!.stored.map(bar => [bar.interval, bar.revision, bar.tradeCount])).toEqual([['1m', 4, 5]])
  expect(counts).toMatchObject({ late: 4, corrected: expect.any(Number) })
  expect(counts.corrected).toBeGreaterThanOrEqual(4)
})

test('a seed brings the bars that had begun before it, and they end complete', () => {
  const options = { intervals: intervalsOf(['1m', '5m']), persistedIntervals: new Set(['5m']) }
  const whole = new Map<string, SymbolBars>()
  foldEntries(
    whole,
    AT,
    entriesOf([[seedOf('AAA')], [blockOf('AAA', [tradeOf(1, START_TIME), tradeOf(2, START_TIME + 60_000)])]]),
    options,
  )
  const [before] = whole.values()
  const end = [blockOf('AAA', [tradeOf(3, START_TIME + 120_000), tradeOf(4, START_TIME + 300_000)])]
  const expected = foldEntries(whole, { pos: 2, rev: 0 }, entriesOf([end], 2), options).batch.symbols[0]!.stored
  const begunAt = new Map<string, SymbolBars>()
  foldEntries(
    begunAt,
    AT,
    entriesOf([
      [seedOf('AAA')],
      [blockOf('AAA', [tradeOf(1, START_TIME), tradeOf(2, START_TIME + 60_000)], { watermark: START_TIME + 120_000 })],
    ]),
    options,
  )
  const begun = { live: liveTextOf(begunAt.get('AAA')!), closed: '{}' }
  const seed = blockOf('AAA', [], {
    seed: { lastTradeId: 2, sinceTime: START_TIME + 120_000, scales: EXCHANGE_SCALES, begun },
  })
  const restored = new Map<string, SymbolBars>()
  const { batch } = foldEntries(restored, AT, entriesOf([[seed], end]), options)
  expect(before).toBeDefined()
  expect(expected.map(({ complete, tradeCount }) => [complete, tradeCount])).toEqual([[true, 3]])
  expect(batch.symbols[0]!.stored).toEqual(expected)
})

test('a restated bar is told as a correction and enters the outbox; one of an unknown symbol concerns nobody', () => {
  const symbols = new Map<string, SymbolBars>()
  const first = foldEntries(
    symbols,
    AT,
    entriesOf([[seedOf('AAA')], [blockOf('AAA', [tradeOf(1, START_TIME), tradeOf(2, START_TIME + 60_000)])]]),
    OPTIONS,
  )
  const wrong = first.batch.symbols[0]!.stored.find(({ interval }) => interval === '1m')!
  const restated = { ...wrong, high: '999999.00000000' }
  const entries = entriesOf(
    [[blockOf('AAA', [], { restated })], [blockOf('BBB', [], { restated: { ...restated, symbol: 'BBB' } })]],
    2,
  )
  const { batch, counts } = foldEntries(symbols, { pos: 2, rev: 1 }, entries, OPTIONS)
  expect(batch.symbols.map(({ bars }) => bars.symbol)).toEqual(['AAA'])
  expect(batch.symbols[0]!.stored).toEqual([{ ...restated, revision: 1 }])
  expect([batch.symbols[0]!.closedIntervals, counts.corrected, batch.newPos]).toEqual([
    new Set([restated.interval]),
    1,
    4,
  ])
  expect(decodeUpdate(batch.update).symbols[0]!.closed.map(({ corrected }) => corrected)).toEqual([true])
})
