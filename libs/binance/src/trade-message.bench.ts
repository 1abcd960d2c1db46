import { expect, it } from 'vitest'
import { feedMessageOf } from './trade-message.ts'

/** A thousand frames as the exchange sends them, with values that change as they do there. */
const FRAMES = Array.from({ length: 1_000 }, (_, index) => {
  const time = 1723161255342 + index * 7
  const price = `${61_837 + (index % 40)}.${String(index % 100).padStart(2, '0')}000000`
  const data = `{"e":"trade","E":${time + 1},"s":"BTCUSDT","t":${3735683259 + index},"p":"${price}","q":"0.02000000","T":${time},"m":${index % 2 === 0},"M":true}`
  return Buffer.from(`{"stream":"btcusdt@trade","data":${data}}`)
})

it('a thousand trades', async ({ bench }) => {
  let kinds = 0
  await bench.compare(
    bench('read as bytes', () => {
      for (const frame of FRAMES) kinds += feedMessageOf(frame).kind.length
    }),
    bench('through JSON.parse', () => {
      for (const frame of FRAMES) kinds += feedMessageOf(frame.toString()).kind.length
    }),
  )
  expect(kinds).toBeGreaterThan(0)
})
