import { expect, test } from 'vitest'
import { AddressBudgets, addressKeyOf } from './address-budgets.ts'

const LIMITS = { connectionsMax: 4, connectionsPerAddressMax: 2, addressRate: { perSecond: 10, burst: 40 } }

test('connections are bounded for each address and in all', () => {
  const budgets = new AddressBudgets(LIMITS)
  expect([budgets.connect('a', 0), budgets.connect('a', 0)]).toEqual([undefined, undefined])
  expect(budgets.connect('a', 0)).toBe('too many connections of its address')
  expect([budgets.connect('b', 0), budgets.connect('b', 0)]).toEqual([undefined, undefined])
  expect(budgets.connect('c', 0)).toBe('too many connections')
  budgets.disconnect('a', 0)
  expect(budgets.connect('c', 0)).toBeUndefined()
  expect(budgets.connections).toBe(4)
})

test('an address that connects again and again is too fast, and going away does not help it', () => {
  const budgets = new AddressBudgets(LIMITS)
  for (let count = 0; count < 4; count++) {
    expect(budgets.connect('a', 0)).toBeUndefined()
    budgets.disconnect('a', 0)
  }
  expect(budgets.connect('a', 0)).toBe('its address is too fast')
  expect(budgets.connect('b', 0)).toBeUndefined()
  expect(budgets.connect('a', 999)).toBe('its address is too fast')
  expect(budgets.connect('a', 1_000)).toBeUndefined()
})

test('calls take from the same budget as connections', () => {
  const budgets = new AddressBudgets(LIMITS)
  expect(budgets.connect('a', 0)).toBeUndefined()
  for (let count = 0; count < 30; count++) expect(budgets.call('a', 0)).toBe(true)
  expect(budgets.call('a', 0)).toBe(false)
  expect(budgets.connect('b', 0)).toBeUndefined()
  expect(budgets.call('b', 0)).toBe(true)
  // One is owed.
  expect(budgets.call('a', 100)).toBe(false)
  expect(budgets.call('a', 300)).toBe(true)
})

test('addresses that come and go are not remembered for ever', () => {
  const budgets = new AddressBudgets({ ...LIMITS, connectionsMax: 10 })
  for (let index = 0; index < 120_000; index++) {
    budgets.connect(`host-${index}`, 0)
    budgets.disconnect(`host-${index}`, 0)
  }
  expect(budgets.addresses).toBe(50_000)
  expect(budgets.connections).toBe(0)
  // Who owes nothing is not remembered at all.
  budgets.connect('late', 60_000)
  expect(budgets.addresses).toBe(50_001)
  budgets.disconnect('late', 120_000)
  expect(budgets.addresses).toBe(50_000)
})

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, key) => {
  expect(addressKeyOf(address)).toBe(key)
})
