import { Deployment } from './deployment.ts'
import { whatIsWrong } from './final-check.ts'
import { History } from './history.ts'
import { mutateApps } from './mutate-apps.ts'
import type { Mutation } from './mutations.ts'
import { Nemesis } from './nemesis.ts'
import type { LogLine } from './simulated-process.ts'
import { BrokenPromiseError } from './witness.ts'
import { makeWorld, type World } from './world.ts'

/** Processes are started within this time of each other. */
const START_WITHIN_MS = 400
/** How often it is looked whether everything has come to its end. */
const LOOK_MS = 500
/**
 * After the last trade everything has to be in within this time: a job that died with its worker waits up to 45 s, a sweep for the
 * second time 30 s, and after an outage the waits double.
 */
const SETTLE_MAX_MS = 200_000

export interface SimulateOptions {
  readonly mutation?: Mutation | undefined
  /** Told of every fault, log line and script. */
  readonly trace?: ((line: string) => void) | undefined
  /** Makes a hash of everything that happened. */
  readonly hash?: boolean | undefined
}

/** What came of one seed. */
export interface Outcome {
  readonly seed: number
  /** The first promise that was broken, in words. */
  readonly broken: string | undefined
  readonly counts: ReadonlyMap<string, number>
  readonly events: number
  /** Virtual milliseconds. */
  readonly lastedMs: number
  readonly hash: string | undefined
}

/** Runs one seed to its end. Nothing else may run in this process meanwhile: its clocks and timers are replaced. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const world = makeWorld(seed, options.mutation)
  const { time, tally, startTime } = world
  const history = options.hash ? new History(world) : undefined
  const deployment = new Deployment(world, options.trace && logLineOf(world, options.trace))
  const tellFault = (fault: string, detail: string) => options.trace?.(`${clockOf(world)} !!! ${fault} ${detail}`)
  const nemesis = new Nemesis(world, deployment, tellFault)
  if (options.trace !== undefined) traceScripts(world, options.trace)
  const random = world.random('Math.random')
  const uninstall = time.install(() => random.next())
  const restoreApps = mutateApps(options.mutation)
  const onRejection = (reason: unknown) =>
    time.fail(new BrokenPromiseError('no rejection is left unhandled', { cause: reason }))
  process.on('unhandledRejection', onRejection)
  let broken: string | undefined
  try {
    const starts = world.random('starts')
    for (const replica of deployment.replicas) deployment.start(replica, starts.integer(0, START_WITHIN_MS))
    deployment.callers.travel('STREAM_MODE_EVERY_TRADE', 0)
    deployment.callers.travel('STREAM_MODE_CLOSED', 0.02)
    nemesis.begin()
    await time.runUntil(untilSettled(world, deployment))
  } catch (error) {
    broken = describe(error)
  } finally {
    process.off('unhandledRejection', onRejection)
    restoreApps()
    uninstall()
  }
  tally.add(
    'trades',
    world.markets.reduce((sum, { trades }) => sum + trades.length, 0),
  )
  tally.add('bars compared', world.postgres.rows.size)
  const lastedMs = time.now - startTime
  return { seed, broken, counts: tally.counts, events: time.ran, lastedMs, hash: history?.digest() }
}

/** Gives what tells whether the run is over: everything is as it ought to be, or it has had its time. */
function untilSettled(world: World, deployment: Deployment): () => boolean {
  const { time, tradingEndTime, witness } = world
  let settled = false
  const look = () => {
    const wrong = whatIsWrong(world, deployment.callers.clients)
    if (wrong === undefined) settled = true
    else if (time.now > tradingEndTime + SETTLE_MAX_MS) witness.broken('in the end everything is right', wrong)
    else time.at(time.now + LOOK_MS, look, undefined)
  }
  time.at(tradingEndTime + LOOK_MS, look, undefined)
  return () => settled
}

function describe(error: unknown): string {
  if (error instanceof BrokenPromiseError) {
    const cause = error.cause instanceof Error ? ` (${error.cause.stack})` : ''
    return `${error.message}${cause}`
  }
  return `the simulation failed: ${(error as Error).stack}`
}

function clockOf({ time, startTime }: World): string {
  return (time.now - startTime).toFixed(1).padStart(9)
}

function logLineOf(world: World, trace: (line: string) => void): LogLine {
  return (process, level, fields, message) =>
    trace(`${clockOf(world)} ${process.name.padEnd(14)} ${level} ${message} ${JSON.stringify(fields)}`)
}

function traceScripts(world: World, trace: (line: string) => void): void {
  world.redis.onRan(({ command, keys, args, reply }) => {
    if (/^(heartbeat|renew|look|read|lookAt)/.test(command)) return
    const shown = args.map(arg => (typeof arg === 'string' && arg.length < 40 ? arg : `<${arg.length}>`)).slice(0, 40)
    trace(`${clockOf(world)} ${command} ${keys[0]} ${shown.join(' ')} -> ${JSON.stringify(reply)}`)
  })
}
