import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('nothing set gives the defaults of the README', () => {
  expect(readConfig([], {})).toMatchObject({
    choice: 'probe',
    symbols: ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT'],
    grpcPort: 50_051,
    isGrpcPortFixed: false,
    httpPort: 8080,
    isHttpPortFixed: false,
    binanceApiUrl: 'https://api.binance.com',
  })
  expect(readConfig([], {})).not.toHaveProperty('redisUrl')
})

test('what is set is used', () => {
  const env = {
    SYMBOLS: 'ETHBTC',
    REDIS_URL: 'redis://r:6379',
    DATABASE_URL: 'postgres://p/db',
    GRPC_PORT: '7',
    HTTP_PORT: '8',
  }
  expect(readConfig(['--simulate'], env)).toMatchObject({
    choice: 'simulate',
    symbols: ['ETHBTC'],
    redisUrl: 'redis://r:6379',
    databaseUrl: 'postgres://p/db',
    grpcPort: 7,
    isGrpcPortFixed: true,
    httpPort: 8,
    isHttpPortFixed: true,
  })
})

test.each([
  [['--fast'], {}, /unknown argument --fast/],
  [['--live', '--simulate'], {}, /exclude each other/],
  [[], { SYMBOLS: 'btc-usdt' }, /SYMBOLS must be .* not "btc-usdt"/],
  [[], { GRPC_PORT: 'many' }, /GRPC_PORT must be a whole number/],
  [[], { HTTP_PORT: '0' }, /HTTP_PORT must be a whole number/],
  [[], { DATABASE_URL: 'mysql://x' }, /DATABASE_URL must be a URL such as postgres:/],
])('%j %j is one clear error', (args, env, message) => {
  expect(() => readConfig(args, env)).toThrow(message)
})
