import { expect, test } from 'vitest'
import { addressesOf } from './addresses.ts'

const urls = {
  redisUrl: 'rediss://user:secret@redis.example:6380',
  databaseUrl: 'postgres://postgres@127.0.0.1:5432/chart',
}

const ports = (port: number) => ({ grpc: { port }, http: { port: 8080 } })

test('passwords are not shown', () => {
  const addresses = addressesOf(ports(50_051), urls, 'BTCUSDT')
  expect(JSON.stringify(addresses)).not.toContain('secret')
  expect(addresses).toMatchObject({ redis: 'rediss://user:***@redis.example:6380', postgres: urls.databaseUrl })
})

test('the command to watch names the port when it is not the usual one', () => {
  expect(addressesOf(ports(50_051), urls, 'BTCUSDT').watch).toBe('npx chart watch BTCUSDT')
  expect(addressesOf(ports(4_000), urls, 'ETHUSDT').watch).toBe('npx chart watch ETHUSDT --address 127.0.0.1:4000')
})

test('the page has an address, and a port that is not the usual one is explained', () => {
  expect(addressesOf(ports(50_051), urls, 'BTCUSDT')).toMatchObject({ chart: 'http://127.0.0.1:8080' })
  expect(addressesOf(ports(50_051), urls, 'BTCUSDT')).not.toHaveProperty('notes')
  const taken = { grpc: { port: 50_051 }, http: { port: 9_000, note: 'port 8080 is in use' } }
  expect(addressesOf(taken, urls, 'BTCUSDT')).toMatchObject({
    chart: 'http://127.0.0.1:9000',
    notes: ['port 8080 is in use'],
  })
})
