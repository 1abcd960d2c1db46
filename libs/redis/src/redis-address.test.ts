import { expect, test } from 'vitest'
import { checkedRedisUrl, placeOf, RedisAddressError, redisAddressOf, withoutRedisPassword } from './redis-address.ts'

test.each<[string, object]>([
  ['redis://127.0.0.1:6379', { kind: 'server', tls: false, host: '127.0.0.1', port: 6379, db: 0 }],
  [
    'rediss://user:p%40ss:w@redis.example/3',
    { kind: 'server', tls: true, username: 'user', password: 'p@ss:w', host: 'redis.example', port: 6379, db: 3 },
  ],
  [
    'rediss://u:p@redis.example?ca=%2Fetc%2Fca.pem',
    {
      kind: 'server',
      tls: true,
      tlsFiles: { ca: '/etc/ca.pem' },
      username: 'u',
      password: 'p',
      host: 'redis.example',
      port: 6379,
      db: 0,
    },
  ],
  [
    'rediss+cluster://a,b?ca=/ca.pem&cert=/c.pem&key=/k.pem',
    {
      kind: 'cluster',
      tls: true,
      tlsFiles: { ca: '/ca.pem', cert: '/c.pem', key: '/k.pem' },
      nodes: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 6379 },
      ],
    },
  ],
  [
    'rediss+sentinel://a/m?ca=/ca.pem&sentinelPassword=s',
    {
      kind: 'sentinel',
      tls: true,
      tlsFiles: { ca: '/ca.pem' },
      sentinels: [{ host: 'a', port: 26379 }],
      master: 'm',
      db: 0,
      sentinelPassword: 's',
    },
  ],
  ['redis://:secret@[::1]:7000', { kind: 'server', tls: false, password: 'secret', host: '::1', port: 7000, db: 0 }],
  [
    'redis+sentinel://a,b:26380/mymaster',
    {
      kind: 'sentinel',
      tls: false,
      sentinels: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 26380 },
      ],
      master: 'mymaster',
      db: 0,
    },
  ],
  [
    'rediss+sentinel://u:p@a/m/2?sentinelPassword=s%2Fs&sentinelUsername=w',
    {
      kind: 'sentinel',
      tls: true,
      username: 'u',
      password: 'p',
      sentinels: [{ host: 'a', port: 26379 }],
      master: 'm',
      db: 2,
      sentinelUsername: 'w',
      sentinelPassword: 's/s',
    },
  ],
  [
    'redis+cluster://:p@a:7000,[fe80::1]:7001,c',
    {
      kind: 'cluster',
      tls: false,
      password: 'p',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'fe80::1', port: 7001 },
        { host: 'c', port: 6379 },
      ],
    },
  ],
])('%s is read', (url, address) => {
  expect(redisAddressOf(url)).toEqual(address)
})

test.each([
  ['http://127.0.0.1:6379', 'wanted redis://host:port'],
  ['127.0.0.1:6379', 'wanted redis://host:port'],
  ['redis+ring://a', 'wanted redis://host:port'],
  ['redis://', 'host number 1 is not host:port'],
  ['redis://a:x', 'host number 1 is not host:port'],
  ['redis://a:70000', 'host number 1 is not host:port'],
  ['redis://a,b', 'redis+cluster://'],
  ['redis://a/one', 'the database is not a number'],
  ['redis://a/1/2', 'only the number of a database'],
  ['redis://a?db=1', '?db is not known'],
  ['redis+sentinel://a,b', 'the name of the master'],
  ['redis+sentinel://a/m/x', 'the database is not a number'],
  ['redis+sentinel://a/m?password=x', 'known are sentinelUsername, sentinelPassword'],
  ['redis+cluster://a/1', 'a cluster has no databases'],
  ['redis://a?ca=/ca.pem', '?ca goes with rediss'],
  ['rediss://a?cert=/c.pem', '?cert and ?key belong together'],
  ['rediss://a?cafile=/c.pem', '?cafile is not known'],
  ['redis+cluster://a,,b', 'host number 2 is not host:port'],
  ['redis://u:%zz@a', 'the password is not percent-encoded'],
])('%s is refused with what is wrong', (url, message) => {
  expect(() => redisAddressOf(url)).toThrow(RedisAddressError)
  expect(() => redisAddressOf(url)).toThrow(message)
})

test('a file of TLS that cannot be read is named when the URL is checked', () => {
  expect(() => checkedRedisUrl('rediss://u:secret@a?ca=/nowhere/ca.pem')).toThrow(
    new RedisAddressError('?ca=/nowhere/ca.pem cannot be read (ENOENT)'),
  )
})

test('what is shown or logged holds no password', () => {
  const urls = [
    'redis://u:secret@a:1',
    'rediss+sentinel://:secret@a:1,b:2/m?sentinelPassword=secret',
    'redis+cluster://u:se@cret@a:1,b:2',
  ]
  for (const url of urls) {
    expect(placeOf(url)).not.toContain('cret')
    expect(withoutRedisPassword(url)).not.toContain('cret')
  }
  expect(placeOf(urls[1]!)).toBe('m of Sentinels a:1,b:2')
  expect(placeOf(urls[2]!)).toBe('cluster a:1,b:2')
  expect(withoutRedisPassword(urls[1]!)).toBe('rediss+sentinel://:***@a:1,b:2/m?sentinelPassword=***')
  expect(withoutRedisPassword('redis://a:1')).toBe('redis://a:1')
})

test.each(['redis://u:secret', 'redis://u:1/secret', 'redis://u:sec%ret@a', 'redis+sentinel://u:secret@a'])(
  'a URL that is refused does not tell its password: %s',
  url => {
    expect(() => redisAddressOf(url)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('ret') }))
  },
)
