export { countProven, listUnverified, mendRow, seriesSpan, verifyBars } from './bar-audit.ts'
export { type BarRange, countBars, LIST_BARS_MAX, listBars, newestBars, upsertBars } from './bar-table.ts'
export { type CorrectionRange, listCorrections } from './corrected-bars.ts'
export { isPostgresDataError, isPostgresDown, PostgresUnavailableError } from './errors.ts'
export {
  type Migration,
  MigrationError,
  migrate,
  readMigrations,
  requireCurrentSchema,
  schemaIsCurrent,
} from './migrate.ts'
export { createPostgres, openPostgres, type Postgres, type PostgresSettings } from './postgres.ts'
