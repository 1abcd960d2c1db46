import { hashOfSecret, newApiKey, textOfApiKey } from '@chart/grpc'
import { expect, test } from 'vitest'
import { KeyFileError, keyRingOf } from './key-ring.ts'

const NOW = Date.UTC(2026, 0, 1)
const desk = newApiKey('desk-1')
const entry = { id: 'desk-1', sha256: hashOfSecret(desk.secret), scopes: ['live'] }
const bearer = (key = desk) => [`Bearer ${textOfApiKey(key)}`]

test('a key of the file is known by its secret', () => {
  const ring = keyRingOf(JSON.stringify([{ ...entry, limits: { streams: 5 }, expires: '2027-01-31T00:00:00Z' }]))
  expect(ring.entryOf(bearer(), NOW)).toEqual({
    ...entry,
    limits: { streams: 5 },
    expiryTime: Date.UTC(2027, 0, 31),
  })
})

test('an empty list is a file: nobody is known', () => {
  expect(() => keyRingOf('[]').entryOf(bearer(), NOW)).toThrow('the API key is not known')
})

test.each<[string, readonly string[], string]>([
  ['no key', [], 'metadata "authorization" is missing; send "Bearer ck_…"'],
  ['another scheme', ['Basic abc'], 'metadata "authorization" is not "Bearer ck_<id>_<secret>"'],
  ['two keys', [...bearer(), ...bearer()], 'metadata "authorization" is not'],
  ['a wrong secret', bearer({ ...newApiKey('desk-1') }), 'the API key is not known; ask for a new one'],
  ['an unknown id', bearer(newApiKey('desk-2')), 'the API key is not known; ask for a new one'],
])('%s is UNAUTHENTICATED', (_, authorization, message) => {
  const ring = keyRingOf(JSON.stringify([entry]))
  expect(() => ring.entryOf(authorization, NOW)).toThrow(
    expect.objectContaining({ rpcCode: 'UNAUTHENTICATED', message: expect.stringContaining(message) }),
  )
})

test('an expired key says so, to whoever has its secret', () => {
  const ring = keyRingOf(JSON.stringify([{ ...entry, expires: '2026-01-01T00:00:00Z' }]))
  expect(ring.entryOf(bearer(), NOW - 1).id).toBe('desk-1')
  expect(() => ring.entryOf(bearer(), NOW)).toThrow('the API key desk-1 has expired')
  expect(() => ring.entryOf(bearer(newApiKey('desk-1')), NOW)).toThrow('the API key is not known')
})

test.each<[string, unknown, string]>([
  ['what is no JSON', '[{"id": "secret-text"', 'it is not JSON'],
  ['no list', {}, 'it is not a list of keys'],
  ['a number', [7], 'key number 1 is no object'],
  ['no id', [{ ...entry, id: undefined }], 'key number 1: "id" is letters, digits and dashes'],
  ['an id with an underscore', [{ ...entry, id: 'a_b' }], 'key number 1: "id"'],
  [
    'a secret in the place of its hash',
    [{ ...entry, sha256: desk.secret }],
    'key number 1 (desk-1): "sha256" is 64 hex',
  ],
  ['no scopes', [{ ...entry, scopes: [] }], '"scopes" is a list of live, history'],
  ['an unknown scope', [{ ...entry, scopes: ['live', 'all'] }], '"scopes" is a list of live, history'],
  ['a time that is none', [{ ...entry, expires: 'soon' }], '"expires" is a time such as'],
  ['a misspelt field', [{ ...entry, expire: '2027-01-01' }], 'only id, sha256, scopes, limits and expires are known'],
  ['an unknown limit', [{ ...entry, limits: { stream: 1 } }], 'a limit is one of streams, newStreamsPerSecond'],
  ['a negative limit', [{ ...entry, limits: { streams: -1 } }], 'streams is a number from 0 to 1000000'],
  ['a limit in words', [{ ...entry, limits: { streams: '5' } }], 'streams is a number'],
  ['two of an id', [entry, entry], 'two keys have the id desk-1'],
])('a file with %s is refused, and what is said repeats no secret', (_, content, message) => {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  expect(() => keyRingOf(text)).toThrow(KeyFileError)
  expect(() => keyRingOf(text)).toThrow(message)
  expect(() => keyRingOf(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(desk.secret) }))
  expect(() => keyRingOf(text)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('secret-text') }),
  )
})
