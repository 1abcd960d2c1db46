import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { decideInput } from './input.ts'

/** An exchange that answers everything with `body`, or never when there is none. */
async function exchange(status: number, body: string | undefined) {
  const server = createServer((_, response) => {
    response.statusCode = status
    if (body !== undefined) response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

test('an exchange that tells its time is used', async () => {
  using binance = await exchange(200, '{"serverTime":1700000000000}')
  expect(await decideInput('probe', binance.url)).toEqual({ mode: 'live' })
})

test.each([
  [451, '{"code":0}', /answers 451$/],
  [200, '<html>log in to the hotel</html>', /not Binance’s time/],
  [200, '{}', /not Binance’s time/],
  [200, undefined, /does not answer within 0\.2 s$/],
])('an answer %i %s means the simulator, with the reason', async (status, body, reason) => {
  using binance = await exchange(status, body)
  // Short only where it is waited for: an answer may take longer on a busy machine.
  const input = await decideInput('probe', binance.url, body === undefined ? 200 : 10_000)
  expect(input).toEqual({ mode: 'simulated', reason: expect.stringMatching(reason) })
})

test('nobody listening means the simulator', async () => {
  let url: string
  {
    using binance = await exchange(200, '')
    url = binance.url
  }
  expect(await decideInput('probe', url)).toEqual({
    mode: 'simulated',
    reason: expect.stringMatching(/cannot be reached \(ECONNREFUSED\)/),
  })
})

test('what was asked for goes without asking the exchange', async () => {
  expect(await decideInput('live', 'http://127.0.0.1:1')).toEqual({ mode: 'live' })
  expect(await decideInput('simulate', 'http://127.0.0.1:1')).toMatchObject({ mode: 'simulated' })
})
