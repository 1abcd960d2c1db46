import { expect, test } from 'vitest'
import { endpointsOf } from './endpoints.ts'

test.each([
  ['redis://edge:se@cret@redis:6379', [{ host: 'redis', port: 6379 }]],
  [
    'rediss+cluster://edge:x@a:7000,b?ca=/etc/ca.pem',
    [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
    ],
  ],
  [
    'redis+sentinel://a,b:1/main',
    [
      { host: 'a', port: 26379 },
      { host: 'b', port: 1 },
    ],
  ],
  ['postgres://chart:x@postgres.example/chart?sslmode=verify-full', [{ host: 'postgres.example', port: 5432 }]],
  ['wss://stream.binance.com:9443', [{ host: 'stream.binance.com', port: 9443 }]],
  ['https://api.binance.com', [{ host: 'api.binance.com', port: 443 }]],
  ['dns:///edge.chart:50051', [{ host: 'edge.chart', port: 50051 }]],
  ['dns://10.0.0.10:53/edge', [{ host: 'edge', port: 50051 }]],
  ['edge:1', [{ host: 'edge', port: 1 }]],
  [
    'a:1,b:2',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
  ],
  ['1s,1m', []],
  ['BTCUSDT,ETHUSDT', []],
  ['file:///etc/keys', []],
])('%s', (text, endpoints) => {
  expect(endpointsOf(text)).toEqual(endpoints)
})
