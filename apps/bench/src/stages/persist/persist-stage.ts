import { deepStrictEqual } from 'node:assert/strict'
import type { BarText } from '@chart/market'
import { listBars, migrate, openPostgres, upsertBars } from '@chart/postgres'
import { startPostgres } from '@chart/servers'
import { Client } from 'pg'
import { costOf } from '../../harness/bench-process.ts'
import type { OpenStage, Sample, Stage } from '../../harness/stage.ts'
import { openCopying } from './copying.ts'
import { openInserting } from './inserting.ts'
import { madeBars } from './made-bars.ts'
import { openUpserting } from './upserting.ts'
import type { RowWriter } from './writers.ts'

const OURS = 'upsert, 500 bars a statement'
const OURS_100 = 'upsert, 100 bars a statement'
const COPY = 'COPY into an equal table'
const SINGLE = 'INSERT … ON CONFLICT for each bar, awaited'
const POOL = 'the same through a pool of 10'

/** Rows of a whole run, by how many a way writes in some two seconds; figures are for one row. */
const ROWS: Readonly<Record<string, number>> = {
  [OURS]: 60_000,
  [OURS_100]: 30_000,
  [COPY]: 60_000,
  [SINGLE]: 2_000,
  [POOL]: 6_000,
}
/** What the check of the results writes: two statements, the second not full. */
const CHECKED_BARS = 700

export const persistStage: Stage = {
  name: 'persist',
  job: 'closed bars into PostgreSQL',
  figures: [
    { name: 'perSecond', unit: 'rows/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU of Node a row', better: 'less' },
    { name: 'postgresCpuUs', unit: 'µs CPU of PostgreSQL a row', better: 'less' },
  ],
  variants: [
    { name: OURS, role: 'ours' },
    { name: OURS_100, role: 'ours' },
    { name: COPY, role: 'floor' },
    { name: SINGLE, role: 'instead' },
    { name: POOL, role: 'instead' },
  ],
  comparisons: [
    { variant: OURS, against: COPY, figure: 'perSecond', atLeast: 0.25 },
    { variant: OURS, against: COPY, figure: 'postgresCpuUs' },
    { variant: OURS, against: SINGLE, figure: 'perSecond', atLeast: 12 },
    { variant: OURS, against: SINGLE, figure: 'cpuUs' },
    { variant: OURS, against: SINGLE, figure: 'postgresCpuUs' },
    { variant: OURS, against: POOL, figure: 'perSecond' },
    { variant: OURS_100, against: SINGLE, figure: 'perSecond' },
  ],
  open: openPersist,
}

async function openPersist(size: number): Promise<OpenStage> {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await startPostgres())
  {
    await using postgres = await openPostgres({ url, applicationName: 'check' })
    await migrate(postgres)
    await checkUpserts(postgres)
  }
  const writers = new Map<string, RowWriter>([
    [OURS, stack.use(await openUpserting(url, 500))],
    [OURS_100, stack.use(await openUpserting(url, 100))],
    [COPY, stack.use(await openCopying(url))],
    [SINGLE, stack.use(await openInserting(url, 1))],
    [POOL, stack.use(await openInserting(url, 10))],
  ])
  const control = new Client({ connectionString: url, application_name: 'control' })
  await control.connect()
  stack.defer(() => control.end())
  const bars = madeBars(Math.max(...Object.values(ROWS)) * size)
  const owned = stack.move()
  return {
    run: variant => runOnce(writers.get(variant)!, bars.slice(0, ROWS[variant]! * size), control),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Both tables are emptied first, so that every way finds equally small ones and every row is new. */
async function runOnce(writer: RowWriter, bars: readonly BarText[], control: Client): Promise<Sample> {
  await control.query('TRUNCATE bars, copied_bars')
  // Connections and plans are there, and the tables have their first page.
  await writer.write(bars.slice(0, 10))
  await control.query(`TRUNCATE ${writer.table}`)
  await control.query('CHECKPOINT')
  const databaseUs = await databaseCpu(control)
  const cpu = process.cpuUsage()
  const since = performance.now()
  await writer.write(bars)
  const seconds = (performance.now() - since) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const postgresUs = await databaseUs()
  const { rows } = await control.query<{ count: string }>(`SELECT count(*) FROM ${writer.table}`)
  if (Number(rows[0]!.count) !== bars.length) throw new Error(`${rows[0]!.count} rows of ${bars.length} are stored`)
  return {
    perSecond: bars.length / seconds,
    cpuUs: (user + system) / bars.length,
    postgresCpuUs: postgresUs / bars.length,
  }
}

/** Begins to count the CPU time of all processes of PostgreSQL: connections, and those that write the log and the pages. */
async function databaseCpu(control: Client): Promise<() => Promise<number>> {
  const costs = async () => {
    const { rows } = await control.query<{ pid: number }>('SELECT pid FROM pg_stat_activity')
    return new Map(rows.map(({ pid }) => [pid, costOf(pid).cpuUs]))
  }
  const before = await costs()
  return async () => [...(await costs())].reduce((sum, [pid, cpuUs]) => sum + cpuUs - (before.get(pid) ?? 0), 0)
}

/** Of a bar's versions the newest stays, in whatever order they come, and every digit of it. */
async function checkUpserts(postgres: Awaited<ReturnType<typeof openPostgres>>): Promise<void> {
  const newest = madeBars(CHECKED_BARS).map(bar => ({ ...bar, revision: 1 }))
  await upsertBars(postgres, newest)
  await upsertBars(postgres, madeBars(CHECKED_BARS))
  const wanted = newest.filter(({ symbol }) => symbol === newest[0]!.symbol)
  const range = { symbol: newest[0]!.symbol, interval: '1m', order: 'oldest', limit: CHECKED_BARS } as const
  deepStrictEqual(await listBars(postgres, range), wanted)
}
