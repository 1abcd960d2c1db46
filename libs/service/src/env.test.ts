import { expect, test } from 'vitest'
import { ConfigError, EnvReader } from './env.ts'
import { readServiceConfig } from './service-config.ts'

test('an absent or empty variable gives the default', () => {
  const env = new EnvReader({ EMPTY: '  ' })
  expect(env.text('EMPTY', 'a')).toBe('a')
  expect(env.integer('EMPTY', 5, { min: 0, max: 9 })).toBe(5)
  expect(env.list('ABSENT', ['a'])).toEqual(['a'])
  expect(env.choice('ABSENT', 'a', ['a', 'b'])).toBe('a')
})

test('a list loses blanks and repeats', () => {
  expect(new EnvReader({ LIST: ' a, b ,,a' }).list('LIST', [])).toEqual(['a', 'b'])
})

test.each([
  [{ PORT: 'abc' }, 'PORT must be a whole number from 0 to 65535, not "abc"'],
  [{ PORT: '70000' }, 'PORT must be a whole number from 0 to 65535, not "70000"'],
  [{ PORT: '1.5' }, 'PORT must be a whole number from 0 to 65535, not "1.5"'],
  [{ PORT: '0x10' }, 'PORT must be a whole number from 0 to 65535, not "0x10"'],
])('a number that is none is named with its value and the wanted form: %j', (env, message) => {
  expect(() => new EnvReader(env).integer('PORT', 1, { min: 0, max: 65_535 })).toThrow(new ConfigError(message))
})

test('a list of nothing, a choice that is none and a value that cannot be parsed name their variable', () => {
  const env = new EnvReader({ LIST: ',', LEVEL: 'loud', VALUE: 'x' })
  expect(() => env.list('LIST', [])).toThrow('LIST must be a comma-separated list, not ","')
  expect(() => env.choice('LEVEL', 'a', ['a', 'b'])).toThrow('LEVEL must be one of a, b, not "loud"')
  const parse = () => {
    throw new Error('it is x')
  }
  expect(() => env.parsed('VALUE', '', parse)).toThrow('VALUE "x" cannot be used: it is x')
  const refuse = () => {
    throw new Error('no host')
  }
  expect(() => env.secret('VALUE', '', refuse)).toThrow(/^VALUE cannot be used: no host$/)
})

test('a URL that cannot be used is named without its value, which may hold a password', () => {
  const env = new EnvReader({ A: 'http://user:secret@host', B: 'user:secret@host' })
  for (const name of ['A', 'B']) {
    let message = ''
    try {
      env.url(name, '', ['redis', 'rediss'])
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain(`${name} must be a URL such as redis://host:port or rediss://host:port`)
    expect(message).not.toContain('secret')
  }
})

test('every process reads its log level and where its health endpoints listen', () => {
  const env = new EnvReader({ LOG_LEVEL: 'warn', HEALTH_PORT: '0', HEALTH_HOST: '127.0.0.1' })
  expect(readServiceConfig(env)).toEqual({ logLevel: 'warn', healthPort: 0, healthHost: '127.0.0.1' })
  expect(readServiceConfig(new EnvReader({}))).toEqual({ logLevel: 'info', healthPort: 9090, healthHost: '0.0.0.0' })
})
