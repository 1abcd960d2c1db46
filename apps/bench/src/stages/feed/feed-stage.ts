import { feedMessageOf } from '@chart/binance'
import { type BenchProcess, startProcess } from '../../harness/bench-process.ts'
import { byCpu } from '../../harness/by-cpu.ts'
import { generatedTrades } from '../../harness/generated-trades.ts'
import type { OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import type { Rates } from '../../harness/stopwatch.ts'
import { messageOf } from './frames.ts'
import type { Sender } from './sender-process.ts'

/** Of a whole run: one to three seconds of the ways that read messages. */
const TRADES = 600_000

/** Of the first trades every field is compared with what was sent. */
const CHECKED_TRADES = 10_000

const VARIANTS: readonly (Variant & { readonly readsTrades: boolean })[] = [
  { name: 'ours', role: 'ours', readsTrades: true },
  { name: 'ours, parse', role: 'ours', readsTrades: true },
  { name: 'ws dropped', role: 'floor', readsTrades: false },
  { name: 'bytes', role: 'floor', readsTrades: false },
  { name: 'JSON.parse', role: 'instead', readsTrades: true },
]

/** Ready frames of one socket to trades; every way reads the same bytes, as fast as it can. */
export const feedStage: Stage = {
  name: 'feed',
  job: "the exchange's frames to trades",
  figures: [
    { name: 'perSecond', unit: 'trades/s', better: 'more' },
    { name: 'perCpuSecond', unit: 'trades/CPU-s', better: 'more' },
  ],
  variants: VARIANTS.map(({ name, role }) => ({ name, role })),
  // The receiver's: its time is also that of the sender, which shares the machine with it.
  comparisons: [
    byCpu('ours, parse', 'JSON.parse', 1.6),
    byCpu('ours, parse', 'ws dropped', 0.45),
    byCpu('ours, parse', 'bytes'),
    byCpu('ours', 'JSON.parse'),
    byCpu('ours', 'ws dropped'),
    byCpu('ours', 'ours, parse'),
  ],
  async open(size) {
    checkMessages()
    const sender = startProcess(new URL('sender-process.ts', import.meta.url))
    try {
      return new OpenFeed(sender, await sender.ask<Sender>('open', Math.round(TRADES * size)))
    } catch (error) {
      await sender[Symbol.asyncDispose]()
      throw error
    }
  },
}

/** @throws Error when a message is not read as it was written */
function checkMessages(): void {
  const unitsOf = (decimal: string) => BigInt(decimal.replace('.', ''))
  for (const row of generatedTrades(CHECKED_TRADES)) {
    const message = feedMessageOf(Buffer.from(messageOf(row)))
    if (message.kind === 'trade') {
      const { symbol, trade } = message
      const same =
        symbol === row.symbol &&
        trade.tradeId === row.id &&
        trade.tradeTime === row.time &&
        trade.price === unitsOf(row.price) &&
        trade.quantity === unitsOf(row.qty) &&
        trade.takerSide === (row.isBuyerMaker ? 'sell' : 'buy')
      if (same) continue
    }
    throw new Error(`feed: ${messageOf(row)} was read as ${message.kind}, with other values`)
  }
}

class OpenFeed implements OpenStage {
  readonly #process: BenchProcess
  readonly #sender: Sender
  readonly #receivers = new Map<string, BenchProcess>()

  constructor(process: BenchProcess, sender: Sender) {
    this.#process = process
    this.#sender = sender
  }

  /** @throws Error when trades were read that were not sent, or not all of them */
  async run(name: string): Promise<Sample> {
    const receiver = this.#receivers.get(name) ?? startProcess(new URL('receiver-process.ts', import.meta.url))
    this.#receivers.set(name, receiver)
    const { idSum, perSecond, perCpuSecond } = await receiver.ask<Rates & { readonly idSum: number }>('run', {
      way: name,
      sender: this.#sender,
    })
    const { readsTrades } = VARIANTS.find(variant => variant.name === name)!
    if (readsTrades && idSum !== this.#sender.idSum) {
      throw new Error(`feed: the ids read by ${name} add up to ${idSum}, those sent to ${this.#sender.idSum}`)
    }
    return { perSecond, perCpuSecond }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const receiver of this.#receivers.values()) await receiver[Symbol.asyncDispose]()
    await this.#process[Symbol.asyncDispose]()
  }
}
