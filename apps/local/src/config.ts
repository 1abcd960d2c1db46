import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkedRedisUrl } from '@chart/redis'
import { ConfigError, type Environment, EnvReader } from '@chart/service'

/** What decides between the exchange and the simulator. */
export type InputChoice = 'live' | 'simulate' | 'probe'

export type Config = {
  readonly choice: InputChoice
  /** Top folder of the repository. */
  readonly root: string
  /** Data of the modes, each in a folder of its own: `.data/live`, `.data/simulated`. */
  readonly dataDir: string
  readonly symbols: readonly string[]
  /** Servers of somebody else's; absent: our own. */
  readonly redisUrl?: string
  readonly databaseUrl?: string
  readonly binanceApiUrl: string
  readonly binanceStreamUrl: string
  readonly grpcPort: number
  /** Set by the user: then a taken port is an error and not a reason to take another. */
  readonly isGrpcPortFixed: boolean
  /** Of the page, and in the same way. */
  readonly httpPort: number
  readonly isHttpPortFixed: boolean
  /** Of the simulated market; absent: those it was begun with, or new ones. */
  readonly seed?: number
  readonly tradesPerSecond?: number
  /** Of a market that is begun now. */
  readonly pastMinutes: number
  readonly marketSettings: Readonly<Record<string, string>>
  /** Process number of the bootstrap whose end is our end. */
  readonly bootstrapPid?: number
  /** Handed on to the apps, which read what is theirs. */
  readonly env: Environment
}

export const usage = `usage: npm start -- [--live | --simulate]

  --live       trades from Binance, also when it cannot be reached right now
  --simulate   trades of the simulator that comes with this project
  (neither)    Binance where it can be reached, otherwise the simulator

Variables: SYMBOLS, REDIS_URL, DATABASE_URL, HTTP_PORT, GRPC_PORT, BINANCE_API_URL, BINANCE_STREAM_URL, DATA_DIR,
           SEED, TRADES_PER_SECOND and PAST_MINUTES of the simulated market, NO_COLOR. The README has the whole table.`

/** Variables of the simulator that decide which trades there are; the simulator checks them. */
const marketVariables = [
  ...['START_TRADE_ID', 'SILENT_MINUTE_SHARE', 'BURSTINESS', 'LATE_SHARE'],
  ...['RECORDING', 'RECORDING_SYMBOL', 'START_TIME', 'SPEED', 'HOLD'],
]

/** The only place where the command line and the environment are read. */
export function readConfig(args: readonly string[] = process.argv.slice(2), env: Environment = process.env): Config {
  const read = new EnvReader(env)
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const symbols = read.list('SYMBOLS', ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT'])
  const dataDir = read.text('DATA_DIR', '.data')
  return {
    choice: choiceOf(args),
    root,
    dataDir: isAbsolute(dataDir) ? dataDir : join(root, dataDir),
    symbols: symbols.map(checkSymbol),
    binanceApiUrl: read.url('BINANCE_API_URL', 'https://api.binance.com', ['http', 'https']),
    binanceStreamUrl: read.url('BINANCE_STREAM_URL', 'wss://stream.binance.com:9443', ['ws', 'wss']),
    grpcPort: read.integer('GRPC_PORT', 50_051, { min: 1, max: 65_535 }),
    isGrpcPortFixed: isSet(env, 'GRPC_PORT'),
    httpPort: read.integer('HTTP_PORT', 8080, { min: 1, max: 65_535 }),
    isHttpPortFixed: isSet(env, 'HTTP_PORT'),
    env,
    // A little more than the thousand minutes that the auditor imports.
    pastMinutes: read.integer('PAST_MINUTES', 1_020, { min: 0, max: 100_000 }),
    marketSettings: Object.fromEntries(
      marketVariables.filter(name => isSet(env, name)).map(name => [name, env[name]!]),
    ),
    ...(isSet(env, 'REDIS_URL') && { redisUrl: read.secret('REDIS_URL', '', checkedRedisUrl) }),
    ...(isSet(env, 'DATABASE_URL') && { databaseUrl: read.url('DATABASE_URL', '', ['postgres', 'postgresql']) }),
    ...(isSet(env, 'SEED') && { seed: read.integer('SEED', 0, { min: 0, max: 4_294_967_295 }) }),
    ...(isSet(env, 'TRADES_PER_SECOND') && {
      tradesPerSecond: read.integer('TRADES_PER_SECOND', 0, { min: 1, max: 100_000 }),
    }),
    ...(isSet(env, 'CHART_BOOTSTRAP_PID') && {
      bootstrapPid: read.integer('CHART_BOOTSTRAP_PID', 0, { min: 1, max: 2 ** 31 }),
    }),
  }
}

function choiceOf(args: readonly string[]): InputChoice {
  const unknown = args.find(arg => arg !== '--live' && arg !== '--simulate')
  if (unknown !== undefined) throw new ConfigError(`unknown argument ${unknown}\n${usage}`)
  const [first, ...others] = new Set(args)
  if (others.length > 0) throw new ConfigError(`--live and --simulate exclude each other\n${usage}`)
  if (first === undefined) return 'probe'
  return first === '--live' ? 'live' : 'simulate'
}

function checkSymbol(symbol: string): string {
  if (!/^[A-Z0-9]{2,30}$/.test(symbol)) {
    throw new ConfigError(`SYMBOLS must be the exchange's symbols such as BTCUSDT, in upper case, not "${symbol}"`)
  }
  return symbol
}

function isSet(env: Environment, name: string): boolean {
  return (env[name]?.trim() ?? '') !== ''
}
