import { fileURLToPath } from 'node:url'
import { type BarText, type Bar as ExactBar, textOfBar } from '@chart/market'
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FeedText, feedStateName, frameBarEvent, frameHeartbeat } from './bar-event.ts'
import {
  barOfMessage,
  decodeBar,
  encodeBar,
  encodeExactBar,
  messageOfBar,
  timeOfTimestamp,
  timestampOfTime,
} from './bar-message.ts'
import { decodeUpdate, encodeUpdate, type PartitionUpdate } from './bar-update.ts'
import type { StreamBarsResponse } from './messages.ts'
import { decodeResponse, packageDefinition } from './proto.ts'

/** Coders that are not ours, made from the .proto files. */
function genericOf(definitions: typeof packageDefinition, name: string) {
  const { serialize, deserialize } = definitions[name] as MessageTypeDefinition<object, object>
  return { serialize: (value: object) => Buffer.from(serialize(value)), deserialize }
}
const Bar = genericOf(packageDefinition, 'chart.v1.Bar')
const updateDefinitions = loadSync('chart/v1/update.proto', {
  includeDirs: [fileURLToPath(new URL('../../../proto', import.meta.url))],
  longs: Number,
  defaults: true,
})
const Update = genericOf(updateDefinitions, 'chart.v1.PartitionUpdate')

const decimals = fc.oneof(
  fc.constantFrom('0', '0.00000000', '61837.63000000', '12345678901234567890.12345678', '0.00000001'),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: 0, max: 18 })).map(([whole, scale]) => {
    return scale === 0 ? `${whole}` : `${whole}.${'7'.repeat(scale)}`
  }),
)
const ids = fc.oneof(fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())
const times = fc.oneof(
  fc.constantFrom(0, 1, 999, 1_000, 1_723_118_459_999),
  fc.integer({ min: 0, max: 4_102_444_800_000 }),
)
const bars: fc.Arbitrary<BarText> = fc
  .record({
    symbol: fc.stringMatching(/^[A-Z0-9]{2,30}$/),
    interval: fc.constantFrom('1s', '1m', '15m', '1d'),
    openTime: times,
    closeTime: times,
    open: decimals,
    high: decimals,
    low: decimals,
    close: decimals,
    baseVolume: decimals,
    quoteVolume: decimals,
    takerBuyBaseVolume: decimals,
    takerBuyQuoteVolume: decimals,
    tradeCount: fc.nat({ max: 2 ** 31 }),
    firstTradeId: ids,
    lastTradeId: ids,
    state: fc.constantFrom('live', 'closed'),
    revision: fc.nat({ max: 2 ** 31 - 1 }),
    complete: fc.boolean(),
    proof: fc.constantFrom(undefined, 'verified', 'imported'),
  })
  .map(({ proof, ...bar }) => (proof === undefined ? bar : { ...bar, proof }) as BarText)

function withoutZeros(message: object): object {
  const entries = Object.entries(message).filter(
    ([, value]) => value !== 0 && value !== false && !String(value).endsWith('_UNSPECIFIED'),
  )
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'object' ? withoutZeros(value) : value]),
  )
}

describe('a bar', () => {
  test('has the bytes that the generic encoder makes of it when zeros are left out, as proto3 does', () => {
    fc.assert(
      fc.property(bars, bar => {
        expect(Buffer.from(encodeBar(bar))).toEqual(Bar.serialize(withoutZeros(messageOfBar(bar))))
      }),
    )
  })

  test('of exact numbers has the bytes of its text', () => {
    // Also where a double rounds up: a unit below a multiple of the scale's.
    const large = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 31n }), fc.bigInt({ min: -2n, max: 2n }))
    const nearWhole = large.map(([whole, more]) => (whole * 10n ** 8n + more < 0n ? 0n : whole * 10n ** 8n + more))
    const exact = fc.oneof(
      nearWhole,
      fc.bigInt({ min: -(10n ** 3n), max: 10n ** 20n }),
      fc.bigInt({ min: 0n, max: 2n ** 54n }),
    )
    const numbers = [
      'open',
      'high',
      'low',
      'close',
      'baseVolume',
      'quoteVolume',
      'takerBuyBaseVolume',
      'takerBuyQuoteVolume',
    ]
    const values = fc.record(Object.fromEntries(numbers.map(name => [name, exact])))
    const scale = fc.oneof(fc.constant(8), fc.integer({ min: 0, max: 12 }))
    fc.assert(
      fc.property(bars, values, fc.record({ price: scale, quantity: scale, quote: scale }), (text, own, scales) => {
        const { proof, closeTime, ...rest } = text
        const bar = { ...rest, ...own } as unknown as ExactBar
        expect(encodeExactBar(bar, scales)).toEqual(encodeBar(textOfBar(bar, scales)))
      }),
      { numRuns: 2_000 },
    )
  })

  test('is read back by ours and by the generic decoder', () => {
    fc.assert(
      fc.property(bars, bar => {
        const bytes = Buffer.from(encodeBar(bar))
        expect(decodeBar(bytes)).toEqual(bar)
        expect(barOfMessage(Bar.deserialize(bytes) as never)).toEqual(bar)
      }),
    )
  })

  test('is read past fields of a later contract', () => {
    fc.assert(
      fc.property(bars, bar => {
        // 100: text, 101: integer, 102: 64 bits, 103: 32 bits, each with a two-byte tag.
        const later = Buffer.from('a206026869a806059106000000000000000 19d0600000000'.replaceAll(' ', ''), 'hex')
        expect(decodeBar(Buffer.concat([encodeBar(bar), later]))).toEqual(bar)
      }),
    )
  })
})

test('a time is the same as a timestamp and back, also before the epoch', () => {
  for (const time of [0, 1, 999, 1_723_118_459_999, -1, -1_000, -1_723_118_459_999]) {
    const timestamp = timestampOfTime(time)
    expect(timeOfTimestamp(timestamp)).toBe(time)
    expect(timestamp.nanos).toBeGreaterThanOrEqual(0)
  }
  expect(timeOfTimestamp(null)).toBeUndefined()
})

describe('an event', () => {
  test('framed one behind the other reads as one response', () => {
    const types = fc.constantFrom('snapshot' as const, 'update' as const, 'closed' as const, 'corrected' as const)
    const events = fc.array(fc.record({ type: types, bar: bars, tradeTime: times }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(events, list => {
        const frames = list.map(({ type, bar, tradeTime }) => frameBarEvent(type, encodeBar(bar), tradeTime))
        const response: StreamBarsResponse = decodeResponse(Buffer.concat(frames))
        expect(response.events).toHaveLength(list.length)
        for (const [index, { type, bar, tradeTime }] of list.entries()) {
          const event = response.events[index]!
          expect(event.type).toBe(`BAR_EVENT_TYPE_${type.toUpperCase()}`)
          expect(barOfMessage(event.bar!)).toEqual(bar)
          expect(timeOfTimestamp(event.tradeTime) ?? 0).toBe(tradeTime)
          expect(event.feed).toBe(null)
        }
      }),
    )
  })

  test.each(['live', 'backfilling', 'stale', 'halted', undefined, 'of a later release'])(
    'heartbeat of a feed that is %s',
    state => {
      const feed: FeedText = {
        symbol: 'BTCUSDT',
        state,
        lastTradeId: -1,
        lastTradeTime: 0,
        watermark: 1_723_118_459_999,
        ageMs: state === undefined ? undefined : 1_250,
      }
      const [event] = decodeResponse(frameHeartbeat(feed)).events
      expect(event).toMatchObject({ type: 'BAR_EVENT_TYPE_HEARTBEAT', bar: null, tradeTime: null })
      expect(event!.feed).toEqual({
        symbol: 'BTCUSDT',
        state: feedStateName(state),
        lastTradeId: -1,
        lastTradeTime: null,
        watermark: timestampOfTime(1_723_118_459_999),
        age: state === undefined ? null : { seconds: 1, nanos: 250_000_000 },
      })
      expect(feedStateName('constructor')).toBe('FEED_STATE_UNSPECIFIED')
    },
  )
})

describe('an update', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array))
  const intervalBars = fc.record({
    interval: fc.constantFrom('1s', '1m'),
    openTime: times,
    corrected: fc.boolean(),
    bar: bars.map(bar => Buffer.from(encodeBar(bar))),
  })
  const updates: fc.Arbitrary<PartitionUpdate> = fc.record({
    position: fc.maxSafeNat(),
    previousPosition: fc.maxSafeNat(),
    symbols: fc.array(
      fc.record({
        symbol: fc.stringMatching(/^[A-Z0-9]{2,30}$/),
        throughTradeId: ids,
        throughTime: times,
        live: fc.array(intervalBars, { maxLength: 3 }),
        closed: fc.array(intervalBars, { maxLength: 3 }),
        trades: fc.array(bytes, { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  })

  test('is read back as it was', () => {
    fc.assert(
      fc.property(updates, update => {
        expect(decodeUpdate(encodeUpdate(update))).toEqual(update)
      }),
    )
  })

  test('says to the generic decoder what it says to ours, and is read when that has written it', () => {
    fc.assert(
      fc.property(updates, update => {
        const message = Update.deserialize(Buffer.from(encodeUpdate(update))) as {
          symbols: { live: { bar: object }[] }[]
        }
        expect(message).toMatchObject({ position: update.position, previousPosition: update.previousPosition })
        for (const [index, symbol] of update.symbols.entries()) {
          for (const [at, live] of symbol.live.entries()) {
            const bar = message.symbols[index]!.live[at]!.bar as { state: number; proof: number }
            const state = bar.state === 2 ? 'BAR_STATE_CLOSED' : 'BAR_STATE_LIVE'
            const proof = ['BAR_PROOF_UNSPECIFIED', 'BAR_PROOF_VERIFIED', 'BAR_PROOF_IMPORTED'][bar.proof]
            expect(barOfMessage({ ...bar, state, proof } as never)).toEqual(decodeBar(live.bar))
          }
        }
        const reread = decodeUpdate(Update.serialize(message))
        expect(Update.deserialize(Buffer.from(encodeUpdate(reread)))).toEqual(message)
      }),
      { numRuns: 50 },
    )
  })

  test('cut short or of other bytes is an error or an empty one, never a hang', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), array => {
        try {
          decodeUpdate(array)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })
})
