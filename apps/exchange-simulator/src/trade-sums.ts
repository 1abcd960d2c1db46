import { setImmediate } from 'node:timers/promises'
import { addTrade, type Bar, flatBar, openTimeOf } from './bar.ts'
import type { Tape } from './tape.ts'
import { unitsOf } from './trade.ts'

/** Trades read at once; a few ms of work. */
const blockTrades = 2000
/** Time after which a long sum lets others have a turn, ms. */
const turnMs = 8

/**
 * Bars by openTime of all trades sent so far with `from` <= tradeTime < `to`: a plain loop over every trade in id order,
 * bucketed by trade time. It yields after each block, so that a driver can pause.
 */
export function* sumSteps(tape: Tape, intervalMs: number, from: number, to: number): Generator<void, Map<number, Bar>> {
  const sums = new Map<number, Bar>()
  // Trades are never sent before their trade time, and at most `latenessMaxMs` after it.
  const end = tape.positionAt(to + tape.history.latenessMaxMs)
  for (let position = tape.positionAt(from); position < end; position += blockTrades) {
    for (const trade of tape.read(position, Math.min(end, position + blockTrades))) {
      if (trade.tradeTime < from || trade.tradeTime >= to) continue
      const openTime = openTimeOf(trade.tradeTime, intervalMs)
      let bar = sums.get(openTime)
      if (!bar) {
        bar = flatBar(openTime, 0n)
        sums.set(openTime, bar)
      }
      addTrade(bar, trade)
    }
    yield
  }
  return sums
}

/** For short spans only; nothing else runs meanwhile. */
export function sumTradesNow(tape: Tape, intervalMs: number, from: number, to: number): Map<number, Bar> {
  const steps = sumSteps(tape, intervalMs, from, to)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

export async function sumTrades(tape: Tape, intervalMs: number, from: number, to: number): Promise<Map<number, Bar>> {
  const steps = sumSteps(tape, intervalMs, from, to)
  let turnStart = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (performance.now() - turnStart > turnMs) {
      await setImmediate()
      turnStart = performance.now()
    }
  }
}

/**
 * The series the exchange shows for `from` <= openTime < `to`: bars with trades, flat bars where the symbol rested, no bar
 * where it was halted throughout or had never traded. Both ends are aligned; openTimes not reached yet have no bar.
 */
export function seriesOf(
  tape: Tape,
  intervalMs: number,
  from: number,
  to: number,
  sums: ReadonlyMap<number, Bar>,
): Bar[] {
  const series: Bar[] = []
  let lastPrice: bigint | undefined
  for (let openTime = from; openTime < Math.min(to, tape.time); openTime += intervalMs) {
    let bar = sums.get(openTime)
    if (!bar) {
      if (tape.haltedThroughout(openTime, Math.min(openTime + intervalMs, tape.time))) continue
      lastPrice ??= lastPriceBefore(tape, intervalMs, openTime)
      if (lastPrice === undefined) continue
      bar = flatBar(openTime, lastPrice)
    }
    lastPrice = bar.close
    series.push(bar)
  }
  return series
}

/** Close of the last bar with trades before `openTime`. */
function lastPriceBefore(tape: Tape, intervalMs: number, openTime: number): bigint | undefined {
  const trade = tape.readBack(tape.positionAt(openTime), 1)[0]
  if (!trade || tape.history.latenessMaxMs === 0) return trade && unitsOf(trade.price)
  // With late trades the last one sent is not always of the last bar, and one sent later may belong to it.
  const sums = sumTradesNow(tape, intervalMs, openTimeOf(trade.tradeTime, intervalMs), openTime)
  return sums.get(Math.max(...sums.keys()))?.close
}
