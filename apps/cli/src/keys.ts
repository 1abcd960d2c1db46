import { parseArgs } from 'node:util'
import {
  barKey,
  closeRedis,
  feedKey,
  infoKey,
  logKey,
  pendingKey,
  readSymbols,
  SYMBOLS_KEY,
  updatesChannel,
} from '@chart/redis'
import { type Command, UsageError } from './command.ts'
import { openServiceRedis, REDIS_OPTIONS, REDIS_USAGE } from './redis-options.ts'

const USAGE = `usage: chart keys SYMBOL [--interval 1m] [--redis redis://HOST:PORT]

Prints the Redis keys of a symbol that others may read, and what stands in them now.
${REDIS_USAGE}`

/** What a bar begins with when people read it; Redis has first what changes with every trade. */
const READ_FIRST = ['openTime', 'closeTime', 'open', 'high', 'low', 'close']

function inReadingOrder(hash: Readonly<Record<string, string>>): [field: string, value: string][] {
  const first = READ_FIRST.filter(field => field in hash)
  const rest = Object.keys(hash).filter(field => !READ_FIRST.includes(field))
  return [...first, ...rest].map(field => [field, hash[field]!])
}

export const keys: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        interval: { type: 'string', default: '1m' },
        ...REDIS_OPTIONS,
      },
    })
    const [symbol, ...more] = positionals
    if (symbol === undefined || more.length > 0) throw new UsageError('name one symbol, such as BTCUSDT')
    const redis = await openServiceRedis(values)
    try {
      const tag = (await readSymbols(redis)).get(symbol)
      if (tag === undefined) {
        io.stderr.write(`chart keys: ${symbol} is not in the hash "${SYMBOLS_KEY}" of this Redis\n`)
        return 1
      }
      io.stdout.write(`${SYMBOLS_KEY} (hash)  ${symbol} → ${tag}\n`)
      for (const key of [barKey(tag, symbol, values.interval), feedKey(tag, symbol), infoKey(tag, symbol)]) {
        io.stdout.write(`${key} (hash)\n`)
        for (const [field, value] of inReadingOrder(await redis.hgetall(key))) io.stdout.write(`  ${field}  ${value}\n`)
      }
      io.stdout.write(`${logKey(tag)} (stream)  ${await redis.xlen(logKey(tag))} entries\n`)
      io.stdout.write(`${pendingKey(tag)} (hash)  ${await redis.hlen(pendingKey(tag))} closed bars not yet stored\n`)
      io.stdout.write(`${updatesChannel(tag)} (shard channel)\n`)
      return 0
    } finally {
      closeRedis(redis)
    }
  },
}
