import { migrate, openPostgres } from '@chart/postgres'
import { readDatabaseUrl } from './config.ts'

/** How long PostgreSQL may take to come up: it is often started together with this. */
const WAIT_MS = 60_000

// As the first process of a container it would not be ended by them, and be killed 30 s later. A step that is not committed is undone.
process.once('SIGTERM', () => process.exit(128 + 15))
process.once('SIGINT', () => process.exit(128 + 2))

/** Brings the schema of DATABASE_URL up to date. Status 0, or 1 with one line that says why not. */
try {
  await using postgres = await openPostgres({ url: readDatabaseUrl(), applicationName: 'migrate', waitMs: WAIT_MS })
  const applied = await migrate(postgres)
  const result = applied.length === 0 ? 'the schema is up to date' : `applied ${applied.join(', ')}`
  process.stdout.write(`migrate: ${postgres.place}: ${result}\n`)
} catch (error) {
  process.stderr.write(`migrate: ${(error as Error).message}\n`)
  process.exitCode = 1
}
