import { expect, test } from 'vitest'
import { addressesOf } from './addresses.ts'

const urls = {
  redisUrl: 'rediss://user:secret@redis.example:6380',
  databaseUrl: 'postgres://postgres@127.0.0.1:5432/chart',
}

test('passwords are not shown', () => {
  const addresses = addressesOf({ port: 50_051 }, urls, 'BTCUSDT')
  expect(JSON.stringify(addresses)).not.toContain('secret')
  expect(addresses).toMatchObject({ redis: 'rediss://user:***@redis.example:6380', postgres: urls.databaseUrl })
})

test('the command to watch names the port when it is not the usual one', () => {
  expect(addressesOf({ port: 50_051 }, urls, 'BTCUSDT').watch).toBe('npx chart watch BTCUSDT')
  expect(addressesOf({ port: 4_000 }, urls, 'ETHUSDT').watch).toBe('npx chart watch ETHUSDT --address 127.0.0.1:4000')
})
