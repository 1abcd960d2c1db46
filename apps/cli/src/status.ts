import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { closeRedis, openBarQueueView, readServiceStatus } from '@chart/redis'
import { type Command, type Io, UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { openServiceRedis, QUEUE_OPTIONS, QUEUE_USAGE, queueUrlOf } from './redis-options.ts'
import { type Finding, findingsOf, LOOK_APART_MS, type Look, lastingFindings } from './status-findings.ts'
import { openStatusOutput } from './status-output.ts'

const USAGE = `usage: chart status [--watch] [--json] [--redis URL] [--queue-redis URL]

Tells whether the service is well, and shows what that is judged by: who leads the feed shards, who owns the partitions and how far behind
the log they are, closed bars that wait for PostgreSQL, the queue, the auditor, and each feed. Ends with status 0 when all is well and with
1 when not. What seems wrong is looked at twice, since what changes hands is in nobody's for a moment.
--watch looks again and again until Ctrl-C, and then ends with the status of the last look; where its output is no terminal it prints a
line whenever the judgement changes. --json prints one object for each look.
${QUEUE_USAGE}`

export const status: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        watch: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        ...QUEUE_OPTIONS,
      },
    })
    if (positionals.length > 0) throw new UsageError('it takes no arguments; options are shown by --help')
    const queueUrl = queueUrlOf(values)
    const redis = await openServiceRedis(values)
    try {
      await using queue = openBarQueueView({ url: queueUrl })
      const look = async (): Promise<Look> => {
        const reading = readServiceStatus(redis).catch(error => {
          throw new Error(`Redis cannot be read: ${(error as Error).message}`, { cause: error })
        })
        const [status, counts] = await Promise.all([reading, queue.counts()])
        return { status, queue: counts }
      }
      using output = openStatusOutput(io, { ...values, terminal: readDefaults().terminal })
      return values.watch ? await watch(look, output, io) : await once(look, output)
    } finally {
      closeRedis(redis)
    }
  },
}

type Output = ReturnType<typeof openStatusOutput>

/** Looks once, and a second time where the first has found something. */
async function once(look: () => Promise<Look>, output: Output): Promise<number> {
  const first = await look()
  const suspected = findingsOf(first)
  if (suspected.length === 0) {
    output.show(first, [])
    return 0
  }
  await sleep(LOOK_APART_MS)
  const second = await look()
  const findings = lastingFindings(findingsOf(second), suspected)
  output.show(second, findings)
  return findings.length === 0 ? 0 : 1
}

/** Looks until it is told to stop. A Redis that is away is a judgement too, and the next look may find it again. */
async function watch(look: () => Promise<Look>, output: Output, io: Io): Promise<number> {
  const stop = new AbortController()
  const end = () => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  io.stdout.once('error', end)
  let suspected: readonly Finding[] | undefined
  let isWell = false
  while (!stop.signal.aborted) {
    try {
      const seen = await look()
      const found = findingsOf(seen)
      if (suspected !== undefined || found.length === 0) {
        const findings = lastingFindings(found, suspected ?? [])
        isWell = findings.length === 0
        output.show(seen, findings)
      }
      suspected = found
    } catch (error) {
      suspected = undefined
      isWell = false
      output.fail((error as Error).message)
    }
    await sleep(LOOK_APART_MS, undefined, { signal: stop.signal }).catch(() => undefined)
  }
  return isWell ? 0 : 1
}
