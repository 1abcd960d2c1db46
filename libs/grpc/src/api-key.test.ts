import { expect, test } from 'vitest'
import { apiKeyOf, hashOfSecret, isKeyId, isSecretOf, newApiKey, textOfApiKey } from './api-key.ts'

test('a new key is read back out of the metadata, and its secret is known by its hash', () => {
  for (let round = 0; round < 100; round++) {
    const key = newApiKey('desk-7')
    expect(apiKeyOf(`Bearer ${textOfApiKey(key)}`)).toEqual(key)
    expect(isSecretOf(hashOfSecret(key.secret), key.secret)).toBe(true)
    expect(isSecretOf(hashOfSecret(newApiKey('desk-7').secret), key.secret)).toBe(false)
    expect(isSecretOf(undefined, key.secret)).toBe(false)
  }
})

test('two keys never have the same secret', () => {
  expect(newApiKey('a').secret).not.toBe(newApiKey('a').secret)
})

const SECRET = 'a'.repeat(43)

test.each([
  '',
  'Bearer',
  'Bearer ',
  `Bearer ck_a_${SECRET}x`,
  `Bearer ck_a_${SECRET.slice(1)}`,
  `Bearer ck__${SECRET}`,
  `Bearer ck_${'a'.repeat(65)}_${SECRET}`,
  `Bearer ck_a b_${SECRET}`,
  `Basic ck_a_${SECRET}`,
  `ck_a_${SECRET}`,
  `Bearer  ck_a_${SECRET}`,
  `Bearer ck_a_${SECRET} `,
  `Bearer ck_a_${SECRET.slice(1)}ä`,
  `Bearer ck_a_${SECRET}\n`,
])('%j is no key', authorization => {
  expect(apiKeyOf(authorization)).toBeUndefined()
})

test('the scheme is read in any case, as HTTP has it', () => {
  expect(apiKeyOf(`bearer ck_a_${SECRET}`)).toEqual({ id: 'a', secret: SECRET })
})

test('an id has letters, digits and dashes, so that the key is cut in one way only', () => {
  expect(['a', 'Team-1', 'a'.repeat(64)].every(isKeyId)).toBe(true)
  expect(['', 'a_b', 'a b', 'ä', 'a'.repeat(65)].some(isKeyId)).toBe(false)
})
