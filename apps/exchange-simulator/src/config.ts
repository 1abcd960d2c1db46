import { type ExchangeSimulatorOptions, limitDefaults, seededDefaults } from './options.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A variable that is not of its form; the message names it, its value and the form. */
export class ConfigError extends Error {
  constructor(name: string, value: string, wanted: string) {
    super(`${name}=${value}: wanted ${wanted}`)
  }
}

/** Options of the program from its environment; every variable has a default. */
export function readConfig(env: Environment = process.env): ExchangeSimulatorOptions {
  const symbols = env.SYMBOLS ? listOf('SYMBOLS', env.SYMBOLS) : seededDefaults.symbols
  const rates = env.TRADE_RATES ? ratesOf('TRADE_RATES', env.TRADE_RATES) : undefined
  const speed = env.SPEED === 'max' ? Number.POSITIVE_INFINITY : numberOf(env, 'SPEED', 1, { above: 0 })
  const startTime = env.START_TIME ? momentOf('START_TIME', env.START_TIME, 1) : undefined
  const hold = env.HOLD ? booleanOf('HOLD', env.HOLD) : undefined
  if (!env.RECORDING && startTime === undefined && speed !== 1) {
    throw new ConfigError('SPEED', String(env.SPEED), '1 where neither RECORDING nor START_TIME is given')
  }
  if (!env.RECORDING && speed === Number.POSITIVE_INFINITY) {
    throw new ConfigError('SPEED', 'max', 'a number where RECORDING is not given')
  }
  return {
    host: env.HOST || '127.0.0.1',
    port: numberOf(env, 'PORT', 0, { min: 0, max: 65_535, whole: true }),
    market: {
      symbols,
      seed: numberOf(env, 'SEED', seededDefaults.seed, { min: 0, max: 4_294_967_295, whole: true }),
      genesisTime: env.GENESIS_TIME ? momentOf('GENESIS_TIME', env.GENESIS_TIME, 1000) : seededDefaults.genesisTime,
      tradesPerSecond: numberOf(env, 'TRADES_PER_SECOND', seededDefaults.tradesPerSecond, { min: 0, max: 1_000_000 }),
      ...(rates ? { rates } : {}),
      startTradeId: numberOf(env, 'START_TRADE_ID', seededDefaults.startTradeId, { min: 0, max: 2 ** 50, whole: true }),
      silentMinuteShare: numberOf(env, 'SILENT_MINUTE_SHARE', 0, { min: 0, max: 0.95 }),
      burstiness: numberOf(env, 'BURSTINESS', seededDefaults.burstiness, { min: 0, max: 1 }),
      lateShare: numberOf(env, 'LATE_SHARE', 0, { min: 0, max: 1 }),
    },
    ...(env.RECORDING
      ? { recording: { path: env.RECORDING, ...(env.RECORDING_SYMBOL ? { symbol: env.RECORDING_SYMBOL } : {}) } }
      : {}),
    clock: { speed, ...(startTime === undefined ? {} : { startTime }), ...(hold === undefined ? {} : { hold }) },
    limits: {
      pingIntervalMs: durationOf(env, 'PING_INTERVAL_MS', limitDefaults.pingIntervalMs),
      pongTimeoutMs: durationOf(env, 'PONG_TIMEOUT_MS', limitDefaults.pongTimeoutMs),
      lifetimeMs: durationOf(env, 'CONNECTION_LIFETIME_MS', limitDefaults.lifetimeMs),
      clientMessagesMax: countOf(env, 'CLIENT_MESSAGES_MAX', limitDefaults.clientMessagesMax),
      connectionsMax: countOf(env, 'CONNECTIONS_MAX', limitDefaults.connectionsMax),
      sendBufferBytesMax: countOf(env, 'SEND_BUFFER_BYTES_MAX', limitDefaults.sendBufferBytesMax),
      weightMax: countOf(env, 'REST_WEIGHT_MAX', limitDefaults.weightMax),
      refusalsMax: countOf(env, 'REST_REFUSALS_MAX', limitDefaults.refusalsMax),
      banMs: durationOf(env, 'REST_BAN_MS', limitDefaults.banMs),
    },
  }
}

interface Range {
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly whole?: boolean
}

function numberOf(env: Environment, name: string, fallback: number, range: Range): number {
  const text = env[name]
  if (!text) return fallback
  const value = Number(text)
  const { min = -Infinity, max = Infinity, above = -Infinity, whole = false } = range
  if (Number.isFinite(value) && value >= min && value <= max && value > above && (!whole || Number.isInteger(value))) {
    return value
  }
  const from = range.above === undefined ? `from ${min}` : `above ${above}`
  throw new ConfigError(name, text, `a ${whole ? 'whole ' : ''}number ${from}${max === Infinity ? '' : ` to ${max}`}`)
}

const countOf = (env: Environment, name: string, fallback: number) =>
  numberOf(env, name, fallback, { min: 1, whole: true })

/** Timers hold 31 bits of ms, about 24 days; past it they fire at once. */
const durationOf = (env: Environment, name: string, fallback: number) =>
  numberOf(env, name, fallback, { min: 1, max: 2_147_483_647, whole: true })

function listOf(name: string, text: string): string[] {
  const symbols = [...new Set(text.split(',').map(symbol => symbol.trim()))]
  if (symbols.every(symbol => /^[\p{Lu}\p{Lo}\p{N}_.-]{2,20}$/u.test(symbol))) return symbols
  throw new ConfigError(name, text, 'upper case symbols with commas between, such as BTCUSDT,ETHUSDT')
}

function ratesOf(name: string, text: string): Record<string, number> {
  const pairs = text.split(',').map(pair => pair.trim().split(':'))
  if (pairs.every(([symbol, rate]) => symbol && rate && Number(rate) >= 0 && Number.isFinite(Number(rate)))) {
    return Object.fromEntries(pairs.map(([symbol, rate]) => [symbol, Number(rate)]))
  }
  throw new ConfigError(name, text, 'trades per second by symbol, such as BTCUSDT:100,ETHUSDT:20.5')
}

/** A moment in ms since the epoch or as 2025-01-01T00:00:00Z; a multiple of `unitMs`. */
function momentOf(name: string, text: string, unitMs: number): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isSafeInteger(time) && time >= 0 && time % unitMs === 0) return time
  throw new ConfigError(name, text, `ms since the epoch or 2025-01-01T00:00:00Z${unitMs > 1 ? ', a whole second' : ''}`)
}

function booleanOf(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new ConfigError(name, text, 'true or false')
}
