import { parseArgs } from 'node:util'
import { type BarQueueView, type FailedJob, openBarQueueView } from '@chart/redis'
import { type Cell, type Column, paintFor, tableText } from '@chart/terminal'
import { type Command, type Io, UsageError } from './command.ts'
import { QUEUE_OPTIONS, QUEUE_USAGE, queueUrlOf } from './redis-options.ts'
import { countText, listText } from './status-text.ts'

const USAGE = `usage: chart queue [--retry] [--limit 20] [--json] [--redis URL] [--queue-redis URL]

Prints how many jobs of closed bars wait for PostgreSQL, and the newest that failed, with the bars that they lack and the reason. A job fails
only when PostgreSQL refuses a bar, or by a mistake of ours; an outage fails none. Its bars are in the outbox as well, and are tried ever
more seldom. --retry puts all that failed back into the queue: do so once the reason is gone.
${QUEUE_USAGE}`

/** Failed jobs that are kept. */
const LIMIT_MAX = 1_000

const COLUMNS: readonly Column[] = [{ head: 'failed' }, { head: 'job' }, { head: 'bars' }, { head: 'reason' }]

export const queue: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        retry: { type: 'boolean', default: false },
        limit: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
        ...QUEUE_OPTIONS,
      },
    })
    if (positionals.length > 0) throw new UsageError('it takes no arguments; options are shown by --help')
    const limit = Number(values.limit)
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new UsageError(`--limit must be a whole number from 1 to ${LIMIT_MAX}, not "${values.limit}"`)
    }
    await using view = openBarQueueView({ url: queueUrlOf(values) })
    if (values.retry) await retry(view, io)
    const [counts, failed] = await Promise.all([view.counts(), view.failed(limit)])
    if (values.json) io.stdout.write(`${JSON.stringify({ ...counts, jobs: failed })}\n`)
    else {
      io.stdout.write(
        `${counts.waiting} waiting   ${counts.active} active   ${counts.delayed} delayed   ${counts.failed} failed\n`,
      )
      if (failed.length > 0) io.stdout.write(`\n${tableText(COLUMNS, failed.map(cellsOf), paintFor(io.stdout))}`)
    }
    return 0
  },
}

async function retry(view: BarQueueView, io: Io): Promise<void> {
  const { failed } = await view.counts()
  await view.retryFailed()
  io.stderr.write(`${countText(failed, 'failed job')} put back into the queue\n`)
}

function cellsOf({ id, failedTime, reason, fields }: FailedJob): Cell[] {
  return [
    new Date(failedTime).toISOString().slice(0, 19).replace('T', ' '),
    id,
    listText(fields.map(barText)),
    { text: reason.split('\n')[0]!, tone: 'bad' },
  ]
}

/** `BTCUSDT|1m|1723118400000` → `BTCUSDT 1m 2024-08-08 12:00:00` */
function barText(field: string): string {
  const [symbol, interval, openTime] = field.split('|')
  const time = new Date(Number(openTime))
  return Number.isNaN(time.getTime())
    ? field
    : `${symbol} ${interval} ${time.toISOString().slice(0, 19).replace('T', ' ')}`
}
