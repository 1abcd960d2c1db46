import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool, type PoolConfig, type QueryResult, type QueryResultRow, TypeOverrides } from 'pg'
import { PostgresUnavailableError, reasonOf, sqlStateOf } from './errors.ts'

/** One statement. With a `name` each connection prepares it once. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** A pool of connections to one PostgreSQL. Whoever opens it disposes of it. */
export interface Postgres extends AsyncDisposable {
  /** Host, port and database, without the password: for messages. */
  readonly place: string
  /** Runs one statement, a transaction of its own, on a free connection. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>>
  /** Lends a connection of its own without a time limit for statements: for migrations. It is closed afterwards. */
  withConnection<T>(work: (connection: Client) => Promise<T>): Promise<T>
  /** For readiness. @throws PostgresUnavailableError when SELECT 1 is not answered soon */
  check(): Promise<void>
}

export interface PostgresSettings {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  readonly poolMax?: number
  readonly statementTimeoutMs?: number
  /** Told when an idle connection breaks. Nothing needs to be done: the pool drops it, and the next query opens another. */
  readonly onIdleError?: (error: Error) => void
}

/** For openPostgres. */
export interface WaitSettings {
  /** How long to wait for a server that is not up yet; without it, one attempt. */
  readonly waitMs?: number
}

/** A process upserts or reads with few connections at once; PostgreSQL's own limit is 100 for all processes together. */
const POOL_MAX = 4
/** The largest upsert takes some 20 ms and a page of history less: one that takes longer is stuck behind a lock or a disk. */
const STATEMENT_TIMEOUT_MS = 5_000
/** Our side gives up this much later than the server does, so that it does so only when the server is gone. */
const ANSWER_MARGIN_MS = 2_000
/** A connection takes milliseconds; waiting for a free one of the pool counts as well. */
const CONNECT_TIMEOUT_MS = 3_000
/** Idle connections are closed after this long, so that a failover or a quiet night leaves none behind. */
const IDLE_TIMEOUT_MS = 30_000
/** Below the two seconds after which a probe counts as failed. */
const CHECK_TIMEOUT_MS = 1_500

/** Pause between looks at a server that is not up yet. */
const WAIT_PAUSE_MS = 250
/** A wrong password (28) or database (3D) is not healed by waiting. */
const HOPELESS_CLASSES = new Set(['28', '3D'])

const INT8_OID = 20

/**
 * Opens a pool and makes sure that PostgreSQL answers.
 * @throws PostgresUnavailableError with one clear line when it does not
 */
export async function openPostgres(settings: PostgresSettings & WaitSettings): Promise<Postgres> {
  const postgres = createPostgres(settings)
  const deadline = Date.now() + (settings.waitMs ?? 0)
  for (;;) {
    try {
      await postgres.check()
      return postgres
    } catch (error) {
      const hopeless = HOPELESS_CLASSES.has(sqlStateOf((error as Error).cause)?.slice(0, 2) ?? '')
      if (hopeless || Date.now() >= deadline) {
        await postgres[Symbol.asyncDispose]()
        throw error
      }
      await sleep(WAIT_PAUSE_MS)
    }
  }
}

/** A pool that connects when it is first asked: for those who can do without PostgreSQL for a while. */
export function createPostgres(settings: PostgresSettings): Postgres {
  const statementTimeoutMs = settings.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  const common = {
    connectionString: settings.url,
    application_name: settings.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: exactTypes(),
  } satisfies PoolConfig
  const pool = new Pool({
    ...common,
    max: settings.poolMax ?? POOL_MAX,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
  })
  // Without a listener a server that goes down would end the process through its idle connections.
  pool.on('error', error => settings.onIdleError?.(error))

  const place = placeOf(settings.url)
  const postgres: Postgres = {
    place,
    query: statement => pool.query(statement),
    async withConnection(work) {
      const connection = new Client(common)
      connection.on('error', () => undefined)
      try {
        await connection.connect()
        return await work(connection)
      } finally {
        await connection.end().catch(() => undefined)
      }
    },
    async check() {
      const timeout = new AbortController()
      try {
        await Promise.race([pool.query('SELECT 1'), rejectAfter(CHECK_TIMEOUT_MS, timeout.signal)])
      } catch (error) {
        const reason = reasonOf(error)
        throw new PostgresUnavailableError(
          `cannot reach PostgreSQL at ${place}: ${reason}; start it or set DATABASE_URL`,
          {
            cause: error,
          },
        )
      } finally {
        timeout.abort()
      }
    },
    // Waits for statements under way, which query_timeout bounds.
    [Symbol.asyncDispose]: () => pool.end(),
  }
  return postgres
}

/** `numeric` stays text, as pg has it by default; int8 becomes a number, which ids and counts below 2^53 fit. */
function exactTypes(): TypeOverrides {
  const types = new TypeOverrides()
  types.setTypeParser(INT8_OID, text => {
    const value = Number(text)
    if (!Number.isSafeInteger(value)) throw new RangeError(`${text} from PostgreSQL is beyond 2^53`)
    return value
  })
  return types
}

/** Host, port and database of a URL, without its password. */
function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}:${port || 5432}${pathname}`
}

function rejectAfter(ms: number, cancelled: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms)
    cancelled.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
