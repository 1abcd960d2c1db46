import { openRedis, type RedisConnection } from '@chart/redis'
import { type RedisServer, startRedis } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Argument, ModelRedis } from '../src/model-redis/model-redis.ts'
import { Random } from '../src/random.ts'
import { dumpOfModel, dumpOfRedis } from './keyspace-dump.ts'
import { drawOperation, type Operation } from './random-operation.ts'

/** Each from an empty Redis, so that a failing one is short. */
const ROUNDS = 100
const ROUND_OPERATIONS = 100
const SEED = Number(process.env.TEST_SEED ?? 1)
/** Of leases: a machine that is busy must not see one end. */
const LONG_LEASE_MS = 3_600_000

let server: RedisServer
let redis: RedisConnection

beforeAll(async () => {
  server = await startRedis()
  redis = await openRedis(server.url, 'model-test')
})

afterAll(async () => {
  redis.disconnect()
  await server.close()
})

/** Answers that have to come up, or the test tests too little. */
const EXPECTED_ANSWERS = [
  ...['claimPartition OK', 'claimPartition BUSY', 'renewPartition OK', 'renewPartition FENCED', 'releasePartition OK'],
  ...['releasePartition FENCED', 'appendEntry OK', 'appendEntry FENCED', 'appendEntry MISMATCH', 'restateBar CORRUPT'],
  ...[
    'appendEntry error',
    'commitBars OK',
    'commitBars FENCED',
    'commitBars CONFLICT',
    'rewindLog OK',
    'rewindLog FENCED',
  ],
  ...['writeFeedStates OK', 'writeFeedStates FENCED', 'restateBar OK', 'restateBar UNSEEDED'],
]

/** What either says to a command: the answer, or that it is an error. */
async function answerOf(run: () => unknown): Promise<unknown> {
  try {
    return await run()
  } catch {
    return ['error']
  }
}

/**
 * How long another's lease still runs differs by what the test takes, and so does whether two members came within one millisecond, where
 * Redis puts them in the order of their names.
 */
function comparable(command: string, answer: unknown): unknown {
  if (command === 'heartbeatMember' && Array.isArray(answer)) return answer.toSorted()
  return Array.isArray(answer) && answer[0] === 'BUSY' ? ['BUSY'] : answer
}

type Command = (...values: readonly Argument[]) => Promise<unknown>

test(`${ROUNDS * ROUND_OPERATIONS} random operations leave the model and Redis alike, step by step`, async () => {
  const answers = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED, `round ${round}`)
    await redis.flushall()
    const model = new ModelRedis(Date.now)
    const steps: string[] = []
    let operation: Operation | undefined
    for (let step = 0; step < ROUND_OPERATIONS; step++) {
      operation = drawOperation(random, model, LONG_LEASE_MS, operation)
      const { command, values } = operation
      steps.push(`${command} ${values.join(' ')}`)
      const real = await answerOf(() => (redis as unknown as Record<string, Command>)[command]!(...values))
      const modelled = await answerOf(() => model.run(command, values))
      const told = `round ${round} of TEST_SEED=${SEED}, after\n${steps.slice(-6).join('\n')}`
      expect(comparable(command, modelled), told).toEqual(comparable(command, real))
      expect(dumpOfModel(model.store), told).toEqual(await dumpOfRedis(redis))
      const kind = `${command} ${Array.isArray(real) ? real[0] : ''}`
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
    }
  }
  for (const kind of EXPECTED_ANSWERS) expect(answers.get(kind) ?? 0, kind).toBeGreaterThan(5)
})
