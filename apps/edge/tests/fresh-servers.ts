import { migrate, openPostgres } from '@chart/postgres'
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'

export interface Servers extends AsyncDisposable {
  readonly redis: RedisServer
  readonly postgres: PostgresServer
}

/** A Redis, and a PostgreSQL with our tables. */
export async function startServers(): Promise<Servers> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ fsync: false })])
  const pool = await openPostgres({ url: postgres.url, applicationName: 'test' })
  await migrate(pool)
  await pool[Symbol.asyncDispose]()
  return {
    redis,
    postgres,
    async [Symbol.asyncDispose]() {
      await Promise.all([redis.close(), postgres.close()])
    },
  }
}
