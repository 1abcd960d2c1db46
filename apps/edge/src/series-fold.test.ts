import { type BarEventMessage, barOfMessage, decodeResponse, type SymbolUpdate, timeOfTimestamp } from '@chart/grpc'
import {
  applyTrade,
  applyWatermark,
  type BarText,
  EXCHANGE_SCALES,
  intervalsOf,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  openTimeOf,
  type SymbolBars,
  type Trade,
  textOfBar,
  unpackTrades,
} from '@chart/market'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { foldSteps, liveBarOf, type Step } from '../tests/folded-steps.ts'
import type { SeriesEvent } from './series-event.ts'
import { SeriesFold, type Wanted } from './series-fold.ts'

const INTERVALS = intervalsOf(['1s', '1m', '5m', '1h'])
const MINUTE_START = 1_723_161_240_000
const FIRST_ID = 100

function newBars(sinceTime = MINUTE_START): SymbolBars {
  return newSymbolBars('AAA', INTERVALS, EXCHANGE_SCALES, FIRST_ID - 1, sinceTime)
}

function tradeAt(tradeId: number, time: number, over: Partial<Trade> = {}): Trade {
  return { tradeId, tradeTime: MINUTE_START + time, price: 10_000_000_000n, quantity: 5n, takerSide: 'buy', ...over }
}

/** One symbol as an edge follows it: a fold for each interval, told of every update. */
class Follower {
  readonly folds = INTERVALS.map(interval => new SeriesFold(interval, true))
  throughTradeId = -1

  apply(
    update: SymbolUpdate,
    wanted: Wanted = 'every-trade',
  ): { everyTrade: BarEventMessage[]; latest: BarEventMessage[] }[] {
    const runs = update.trades.map(unpackTrades)
    const trades = runs.flatMap(run => run.trades.filter(trade => trade.tradeId > this.throughTradeId))
    const events = this.folds.map(fold => fold.apply(update, trades, runs[0]?.scales, this.throughTradeId, wanted))
    this.throughTradeId = update.throughTradeId
    return events.map(one => ({ everyTrade: messagesOf(one.everyTrade), latest: messagesOf(one.latest) }))
  }

  snapshots(): BarEventMessage[] {
    return messagesOf(this.folds.flatMap(fold => fold.snapshot(this.throughTradeId) ?? []))
  }

  get differing(): number {
    return this.folds.reduce((sum, fold) => sum + fold.differing, 0)
  }
}

function isClosing({ type }: BarEventMessage): boolean {
  return type === 'BAR_EVENT_TYPE_CLOSED' || type === 'BAR_EVENT_TYPE_CORRECTED'
}

function messagesOf(events: readonly SeriesEvent[]): BarEventMessage[] {
  return events.map(event => {
    const [message] = decodeResponse(event.frame).events
    expect(barOf(message!).openTime).toBe(event.openTime)
    return message!
  })
}

function barOf(event: BarEventMessage): BarText {
  return barOfMessage(event.bar!)
}

const typesOf = (events: readonly BarEventMessage[]) =>
  events.map(event => event.type.slice('BAR_EVENT_TYPE_'.length).toLowerCase())

/** What the rules give for one interval, step by step: events as they must be told. */
type Expected = { type: 'update' | 'closed' | 'corrected'; bar: BarText; tradeId?: number }

function expectedOf(bars: SymbolBars, steps: readonly Step[], interval: string): Expected[] {
  const expected: Expected[] = []
  for (const step of steps) {
    const before = liveBarOf(bars, interval)
    const changes = newChanges()
    if ('watermark' in step) applyWatermark(bars, step.watermark, changes)
    else applyTrade(bars, step, changes)
    for (const series of bars.series) series.changed = false
    for (const bar of changes.closed) {
      if (bar.interval !== interval) continue
      expected.push({ type: bar.revision > 0 ? 'corrected' : 'closed', bar: textOfBar(bar, bars.scales) })
    }
    if ('watermark' in step) continue
    const after = liveBarOf(bars, interval)!
    const of = INTERVALS.find(one => one.name === interval)!
    const own = openTimeOf(of, step.tradeTime) === after.openTime && after.lastTradeId === step.tradeId
    if (own || (before !== undefined && textOf(before) !== textOf(after))) {
      expected.push({ type: 'update', bar: textOfBar(after, bars.scales), tradeId: step.tradeId })
    }
  }
  return expected
}

const textOf = (bar: object) => JSON.stringify(bar, (_, value) => (typeof value === 'bigint' ? `${value}` : value))

/** Trades of one symbol with late ones, holes and watermarks, cut into batches anywhere. */
const pauses = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 1, 250, 700) },
  { weight: 3, arbitrary: fc.integer({ min: -2_500, max: -1 }) },
  { weight: 2, arbitrary: fc.constantFrom(1_000, 3_000, 20_000, 61_000, 400_000) },
)
const stepMakers = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('trade' as const),
      pause: pauses,
      hole: fc.oneof(
        { weight: 9, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
      ),
      price: fc.bigInt({ min: 1n, max: 50n }),
      quantity: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      buy: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('watermark' as const), ahead: fc.integer({ min: -500, max: 65_000 }) }),
  },
)
const batchLists = fc
  .array(fc.array(stepMakers, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 })
  .map(makers => {
    let tradeId = FIRST_ID - 1
    let time = 30_000
    return makers.map(batch => {
      const first = tradeId < FIRST_ID
      return batch.map((maker): Step => {
        // A watermark before the very first trade closes nothing.
        if (maker.kind === 'watermark') {
          return { watermark: MINUTE_START + (tradeId < FIRST_ID ? 0 : time + maker.ahead) }
        }
        // Whether trades before the very first are missing is known to the aggregator alone.
        tradeId += 1 + (first ? 0 : maker.hole)
        time = Math.max(25_000, time + maker.pause)
        const { price, quantity, buy } = maker
        return tradeAt(tradeId, time, { price: price * 10n ** 8n, quantity, takerSide: buy ? 'buy' : 'sell' })
      })
    })
  })

describe('any trades in any batches', () => {
  const sinceTimes = fc.constantFrom(MINUTE_START - 86_400_000, MINUTE_START, MINUTE_START + 20_000)

  test('every trade of the live bar is its own event, equal to what the rules give after it, closed bars in between', () => {
    fc.assert(
      fc.property(batchLists, sinceTimes, (batches, sinceTime) => {
        const bars = newBars(sinceTime)
        const checks = INTERVALS.map(() => newBars(sinceTime))
        const follower = new Follower()
        for (const steps of batches) {
          const told = follower.apply(foldSteps(bars, steps).update)
          for (const [index, interval] of INTERVALS.entries()) {
            checkEveryTrade(told[index]!.everyTrade, expectedOf(checks[index]!, steps, interval.name), steps)
          }
        }
        expect(follower.differing).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  test('whoever keeps the last live bar told holds the live bar of the aggregator after each batch, in every mode', () => {
    const choices = fc.constantFrom<Wanted>('nothing', 'latest', 'every-trade')
    fc.assert(
      fc.property(batchLists, sinceTimes, fc.infiniteStream(choices), (batches, sinceTime, choice) => {
        const bars = newBars(sinceTime)
        const follower = new Follower()
        const held = { everyTrade: new Map<string, BarText>(), latest: new Map<string, BarText>() }
        for (const steps of batches) {
          const wanted = choice.next().value as Wanted
          const told = follower.apply(foldSteps(bars, steps).update, wanted)
          for (const mode of ['everyTrade', 'latest'] as const) {
            // Whoever comes when nobody was there begins with snapshots.
            const begun = wanted === 'nothing' ? follower.snapshots() : []
            for (const event of [...told.flatMap(one => one[mode]), ...begun]) {
              const isLive = event.type === 'BAR_EVENT_TYPE_UPDATE' || event.type === 'BAR_EVENT_TYPE_SNAPSHOT'
              if (isLive) held[mode].set(barOf(event).interval, barOf(event))
            }
            if (wanted === 'nothing') expect(told.flatMap(one => one[mode]).every(isClosing)).toBe(true)
            for (const live of liveBarsOf(bars)) {
              if (live !== undefined) expect(held[mode].get(live.interval)).toEqual(textOfBar(live, bars.scales))
            }
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

function checkEveryTrade(
  told: readonly BarEventMessage[],
  expected: readonly Expected[],
  steps: readonly Step[],
): void {
  const closedTold = told.filter(event => event.type !== 'BAR_EVENT_TYPE_UPDATE')
  const closedExpected = expected.filter(event => event.type !== 'update')
  expect(typesOf(closedTold)).toEqual(closedExpected.map(event => event.type))
  expect(closedTold.map(barOf)).toEqual(closedExpected.map(event => event.bar))
  // Watermarks between the trades of a batch close bars without a live event of their own; else all is told, in order.
  const lastTrade = steps.findLastIndex(step => 'tradeId' in step)
  const plain = steps.slice(0, lastTrade).every(step => 'tradeId' in step)
  const updates = expected.filter(event => event.type === 'update')
  const own = updates.filter(event => event.bar.lastTradeId === event.tradeId)
  const wanted = plain ? updates : own
  const toldUpdates = told.filter(event => event.type === 'BAR_EVENT_TYPE_UPDATE' && event.tradeTime !== null)
  const found = plain ? toldUpdates : toldUpdates.filter(isOfItsTrade)
  if (plain) expect(found.map(barOf)).toEqual(wanted.map(event => event.bar))
  else {
    const numbersOf = ({ complete, ...numbers }: BarText) => numbers
    expect(found.map(event => numbersOf(barOf(event)))).toEqual(wanted.map(event => numbersOf(event.bar)))
    // Before the end of such a batch a bar may be told as incomplete that is not, never the other way.
    for (const [index, event] of found.entries())
      if (barOf(event).complete) expect(wanted[index]!.bar.complete).toBe(true)
  }
  for (const [index, event] of told.entries()) {
    if (event.type !== 'BAR_EVENT_TYPE_CLOSED') continue
    const { openTime, lastTradeId } = barOf(event)
    for (const later of told.slice(index)) {
      if (later.type !== 'BAR_EVENT_TYPE_UPDATE') continue
      expect(barOf(later).openTime, 'an update of a bar after it closed').toBeGreaterThan(openTime)
    }
    for (const earlier of told.slice(0, index)) {
      if (earlier.type !== 'BAR_EVENT_TYPE_UPDATE' || barOf(earlier).firstTradeId < lastTradeId) continue
      expect(barOf(earlier).openTime, 'an update of the next bar before the bar closed').toBeLessThanOrEqual(openTime)
    }
  }
}

/** The trade that made the change is one of the bar's own. */
function isOfItsTrade(event: BarEventMessage): boolean {
  const { openTime, closeTime } = barOf(event)
  const tradeTime = timeOfTimestamp(event.tradeTime)!
  return openTime <= tradeTime && tradeTime <= closeTime
}

describe('in particular', () => {
  test('a bar that closes after a correction of the one before is told before the first trade of the next', () => {
    const bars = newBars()
    const follower = new Follower()
    follower.apply(foldSteps(bars, [tradeAt(100, 100), tradeAt(101, 1_100)]).update)
    const late = [tradeAt(102, 900), tradeAt(103, 1_200), tradeAt(104, 2_000), tradeAt(105, 2_100)]
    const [second] = follower.apply(foldSteps(bars, late).update)
    expect(typesOf(second!.everyTrade)).toEqual(['corrected', 'update', 'closed', 'update', 'update'])
  })

  test('a late trade with missing ones before it makes the live bar incomplete, and that is told', () => {
    const bars = newBars()
    const follower = new Follower()
    follower.apply(foldSteps(bars, [tradeAt(100, 100), tradeAt(101, 61_000)]).update)
    const told = follower.apply(foldSteps(bars, [tradeAt(105, 59_000)]).update)
    const minute = told[1]!.everyTrade
    expect(typesOf(minute)).toEqual(['corrected', 'update'])
    expect(barOf(minute[1]!)).toMatchObject({ complete: false, lastTradeId: 101 })
  })

  test('a trade that is late because a watermark of the same batch closed its bar changes no live bar', () => {
    const bars = newBars()
    const follower = new Follower()
    const steps = [tradeAt(100, 100), { watermark: MINUTE_START + 1_500 }, tradeAt(101, 900), tradeAt(102, 1_700)]
    const [second] = follower.apply(foldSteps(bars, steps).update)
    expect(typesOf(second!.everyTrade)).toEqual(['update', 'closed', 'corrected', 'update'])
    expect(second!.everyTrade.map(event => barOf(event).lastTradeId)).toEqual([100, 100, 101, 102])
  })

  test('the first bars of a symbol are as complete as the aggregator says', () => {
    for (const sinceTime of [MINUTE_START, MINUTE_START + 100]) {
      const bars = newBars(sinceTime)
      const follower = new Follower()
      const told = follower.apply(foldSteps(bars, [tradeAt(100, 100), tradeAt(101, 200)]).update)
      const complete = sinceTime === MINUTE_START
      expect(told[1]!.everyTrade.map(event => barOf(event).complete)).toEqual([complete, complete])
      expect(follower.differing).toBe(0)
    }
  })

  test('the newest live bar says which trade made it, if one of its own did, whoever else listens', () => {
    for (const wanted of ['latest', 'every-trade'] as const) {
      const bars = newBars()
      const follower = new Follower()
      const steps = [tradeAt(100, 100), tradeAt(101, 200), { watermark: MINUTE_START + 1_500 }]
      const [second, minute] = follower.apply(foldSteps(bars, steps).update, wanted)
      expect(minute!.latest.map(event => event.tradeTime)).toEqual([
        { seconds: MINUTE_START / 1_000, nanos: 200_000_000 },
      ])
      expect(typesOf(second!.latest)).toEqual(['closed', 'update'])
      expect(second!.latest[1]!.tradeTime).toBe(null)
    }
  })

  test('trades that a snapshot holds already are not told again', () => {
    const bars = newBars()
    const { update } = foldSteps(bars, [tradeAt(100, 100), tradeAt(101, 200)])
    const follower = new Follower()
    follower.folds.forEach((fold, index) => {
      fold.restore(textOfBar(liveBarsOf(bars)[index]!, bars.scales), [])
    })
    follower.throughTradeId = 101
    expect(follower.apply(update)[1]!.everyTrade).toEqual([])
    const next = follower.apply(foldSteps(bars, [tradeAt(102, 300)]).update)
    expect(next[1]!.everyTrade.map(event => barOf(event).tradeCount)).toEqual([3])
    expect(follower.differing).toBe(0)
  })

  test('a bar that the aggregator tells otherwise is counted, and its bar wins', () => {
    const bars = newBars()
    const follower = new Follower()
    follower.apply(foldSteps(bars, [tradeAt(100, 100)]).update)
    const other = newBars()
    foldSteps(other, [tradeAt(100, 100, { price: 1n })])
    const [, minute] = follower.apply(foldSteps(other, [tradeAt(101, 200)]).update)
    expect(follower.differing).toBeGreaterThan(0)
    expect(barOf(minute!.everyTrade.at(-1)!)).toEqual(textOfBar(liveBarOf(other, '1m')!, other.scales))
  })
})

describe('after updates were missed', () => {
  const closedTexts = (bars: SymbolBars, index: number) =>
    bars.series[index]!.closed.map(bar => textOfBar(bar, bars.scales))

  test('a reading tells the closed bars that no update has told, once, and those corrected since', () => {
    const bars = newBars()
    const fold = new SeriesFold(INTERVALS[0]!, true)
    const live = () => textOfBar(liveBarsOf(bars)[0]!, bars.scales)
    fold.apply(foldSteps(bars, [tradeAt(100, 100), tradeAt(101, 1_100)]).update, [], undefined, -1, 'latest')
    foldSteps(bars, [tradeAt(102, 900), tradeAt(103, 2_100), tradeAt(104, 3_100)])
    const missed = messagesOf(fold.restore(live(), closedTexts(bars, 0)))
    expect(typesOf(missed)).toEqual(['corrected', 'closed', 'closed'])
    expect(missed.map(barOf)).toEqual(closedTexts(bars, 0))
    expect(fold.restore(live(), closedTexts(bars, 0))).toEqual([])
  })

  test('closed bars that were told are not told again, nor live again, by a Redis that fell back to an earlier state', () => {
    const bars = newBars()
    const fold = new SeriesFold(INTERVALS[0]!, true)
    const trades = Array.from({ length: 60 }, (_, index) => tradeAt(100 + index, index * 1_000))
    const { update } = foldSteps(bars, trades)
    expect(fold.apply(update, [], undefined, -1, 'latest').latest).toHaveLength(60)
    const earlier = newBars()
    const old = foldSteps(earlier, trades.slice(0, 20)).update
    expect(fold.restore(textOfBar(liveBarsOf(earlier)[0]!, earlier.scales), closedTexts(earlier, 0))).toEqual([])
    expect(fold.apply(old, [], undefined, -1, 'latest').latest).toEqual([])
  })

  test('a bar that closed for the first time in an update that a reading has overtaken is not told after its successors', () => {
    const bars = newBars()
    const fold = new SeriesFold(INTERVALS[0]!, true)
    const trades = Array.from({ length: 30 }, (_, index) => tradeAt(100 + index, index * 1_000))
    const overtaken = foldSteps(bars, trades.slice(0, 15)).update
    foldSteps(bars, trades.slice(15))
    fold.restore(textOfBar(liveBarsOf(bars)[0]!, bars.scales), closedTexts(bars, 0))
    expect(fold.corrections(overtaken)).toEqual([])
  })

  test('a bar whose closing was passed over is told closed as corrected, without steps after its end', () => {
    const bars = newBars()
    const fold = new SeriesFold(INTERVALS[0]!, true)
    const first = [tradeAt(100, 100), tradeAt(101, 200)]
    fold.apply(foldSteps(bars, first).update, first, bars.scales, 99, 'every-trade')
    foldSteps(bars, [tradeAt(102, 1_100)])
    const late = [tradeAt(103, 300), tradeAt(104, 1_200)]
    const events = fold.apply(foldSteps(bars, late).update, late, bars.scales, 102, 'every-trade').everyTrade
    expect(typesOf(messagesOf(events))).toEqual(['corrected', 'update'])
  })
})
