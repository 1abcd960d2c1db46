import {
  BAR_FIELDS,
  headsKey,
  leaseKey,
  logKey,
  membersKey,
  ownerKey,
  pendingKey,
  positionKey,
  stateKey,
} from '@chart/redis'
import type { Argument, ModelRedis } from '../src/model-redis/model-redis.ts'
import type { Random } from '../src/random.ts'

export interface Operation {
  readonly command: string
  readonly values: Argument[]
}

const TAG = '{p00}'
const SYMBOLS = ['AAA', 'BBB', 'CCC']
const OWNERS = ['one', 'two']

/**
 * One operation as a member might send it: mostly what fits the present state of the model, often what is a step behind or beside it:
 * stale tokens, old positions, wrong heads, repeated calls, keys that somebody deletes.
 */
export function drawOperation(random: Random, model: ModelRedis, leaseMs: number, before?: Operation): Operation {
  if (before !== undefined && random.chance(0.06)) return before
  const draws = [claim, claim, claim, renew, release, append, append, append, append, commit, commit, commit, rewind]
  const rare = [feedStates, acknowledge, readHashes, look, restate, heartbeat, deleteKey, plain, info, contradict]
  const draw = random.chance(0.65) ? random.pick(draws) : random.pick(rare)
  return draw({ random, model, leaseMs })
}

interface Drawing {
  readonly random: Random
  readonly model: ModelRedis
  readonly leaseMs: number
}

type Work = 'ingest' | 'aggregate'

function tokenOf({ random, model }: Drawing, work: Work): string {
  return random.chance(0.9) ? (model.store.hget(ownerKey(TAG, work), 'token') ?? 'none') : 'stale'
}

function claim({ random, leaseMs }: Drawing): Operation {
  const work = random.pick<Work>(['ingest', 'aggregate'])
  const force = random.chance(0.3) ? '1' : '0'
  const values = [2, ownerKey(TAG, work), leaseKey(TAG, work), random.pick(OWNERS), leaseMs, force]
  return {
    command: 'claimPartition',
    values: [...values, `uuid-${random.integer(0, 999)}`, random.pick(['', '0', '1'])],
  }
}

function renew(drawing: Drawing): Operation {
  const work = drawing.random.pick<Work>(['ingest', 'aggregate'])
  const keys = [2, ownerKey(TAG, work), leaseKey(TAG, work)]
  const values = [...keys, drawing.random.pick(OWNERS), drawing.leaseMs, tokenOf(drawing, work)]
  return { command: 'renewPartition', values }
}

function release(drawing: Drawing): Operation {
  const work = drawing.random.pick<Work>(['ingest', 'aggregate'])
  const keys = [2, ownerKey(TAG, work), leaseKey(TAG, work)]
  return { command: 'releasePartition', values: [...keys, drawing.random.pick(OWNERS), tokenOf(drawing, work)] }
}

function append(drawing: Drawing): Operation {
  const { random, model } = drawing
  const symbols = random.chance(0.5) ? [random.pick(SYMBOLS)] : [random.pick(SYMBOLS), random.pick(SYMBOLS)]
  const keys = [ownerKey(TAG, 'ingest'), headsKey(TAG), logKey(TAG), positionKey(TAG)]
  const args: Argument[] = [
    tokenOf(drawing, 'ingest'),
    `nonce-${random.integer(0, 99_999)}`,
    Buffer.from([random.integer(0, 255), 200, 0, 13]),
  ]
  const blocks: string[][] = []
  for (const symbol of symbols) {
    keys.push(`feed:${TAG}:${symbol}`, stateKey(TAG, symbol))
    const head = model.store.hget(headsKey(TAG), symbol) ?? model.store.hget(stateKey(TAG, symbol), 'lastTradeId') ?? ''
    const expected = random.chance(0.9) ? head : String(random.integer(0, 20))
    const hasTrades = expected !== '' && random.chance(0.8)
    const hole = random.chance(0.1)
    const first = Number(expected) + 1 + (random.chance(0.05) || hole ? random.integer(1, 3) : 0)
    const last = hasTrades ? first + random.integer(0, 4) : expected === '' ? random.integer(0, 50) : Number(expected)
    const watermark = random.chance(0.5) ? String(random.integer(1, 9) * 1_000) : ''
    const ids = [expected, hasTrades ? String(first) : '', String(last), hole ? '1' : '0']
    blocks.push([symbol, ...ids, hasTrades ? String(last * 10) : '', watermark, random.pick(['live', 'backfilling'])])
  }
  args.push(JSON.stringify(blocks))
  if (random.chance(0.2)) args.push(`trace-${random.integer(0, 99)}`)
  return { command: 'appendEntry', values: [keys.length, ...keys, ...args] }
}

function commit(drawing: Drawing): Operation {
  const { random, model } = drawing
  const { store } = model
  const pos = store.hget(positionKey(TAG), 'pos') ?? '0'
  const rev = store.hget(positionKey(TAG), 'rev') ?? '0'
  const entries = store.stream(logKey(TAG))?.entries ?? []
  const entry = random.chance(0.9) ? entries.at(-1) : entries.length > 0 ? random.pick(entries) : undefined
  const symbols = SYMBOLS.filter(() => random.chance(0.5))
  const bars = symbols.filter(() => random.chance(0.7))
  const closed = random.integer(0, 2)
  const keys = [ownerKey(TAG, 'aggregate'), positionKey(TAG), logKey(TAG), pendingKey(TAG), `updates:${TAG}`]
  keys.push(...symbols.map(symbol => stateKey(TAG, symbol)), ...bars.map(symbol => `bar:${TAG}:${symbol}:1m`))
  const args: Argument[] = [
    tokenOf(drawing, 'aggregate'),
    random.chance(0.9) ? pos : String(random.integer(0, 9)),
    random.chance(0.9) ? rev : String(random.integer(0, 9)),
    String(entry?.n ?? random.integer(0, 9)),
    random.chance(0.92) ? (entry?.nonce ?? 'none') : 'another',
    '',
    random.chance(0.8) ? Buffer.from([1, 255, random.integer(0, 255)]) : '',
    symbols.length,
    JSON.stringify(bars.map(() => barFields(random))),
  ]
  for (const symbol of symbols) {
    const head = store.hget(headsKey(TAG), symbol) ?? '0'
    const closed = random.chance(0.5) ? ['closed:1s', `closed ${random.integer(0, 99)}`] : []
    args.push(4 + closed.length, 'lastTradeId', head, 'live', `live ${random.integer(0, 99)}`, ...closed)
  }
  for (let index = 0; index < closed; index++) args.push(pendingField(random), `bar ${random.integer(0, 3)}`)
  return { command: 'commitBars', values: [keys.length, ...keys, ...args] }
}

/** All fields of a bar's hash, or those that have changed. */
function barFields(random: Random): string[] {
  const fields = random.chance(0.5) ? BAR_FIELDS : BAR_FIELDS.slice(random.integer(0, 18))
  return fields.flatMap(field => [field, String(random.integer(0, 999))])
}

function pendingField(random: Random): string {
  return `${random.pick(SYMBOLS)}|1m|${random.integer(0, 3)}`
}

function rewind(drawing: Drawing): Operation {
  const symbols = drawing.random.chance(0.7) ? SYMBOLS : SYMBOLS.slice(1)
  const keys = [ownerKey(TAG, 'aggregate'), headsKey(TAG), logKey(TAG), positionKey(TAG)]
  keys.push(...symbols.map(symbol => stateKey(TAG, symbol)))
  return { command: 'rewindLog', values: [keys.length, ...keys, tokenOf(drawing, 'aggregate'), ...symbols] }
}

function feedStates(drawing: Drawing): Operation {
  const keys = [ownerKey(TAG, 'ingest'), ...SYMBOLS.map(symbol => `feed:${TAG}:${symbol}`)]
  const states = SYMBOLS.map(() => drawing.random.pick(['stale', 'halted']))
  return { command: 'writeFeedStates', values: [keys.length, ...keys, tokenOf(drawing, 'ingest'), ...states] }
}

function acknowledge({ random, model }: Drawing): Operation {
  const entries = [...(model.store.hash(pendingKey(TAG)) ?? [])].filter(() => random.chance(0.5)).flat()
  const wrong = [pendingField(random), `bar ${random.integer(0, 3)}`]
  return { command: 'acknowledgeBars', values: [1, pendingKey(TAG), ...entries, ...wrong] }
}

function readHashes(): Operation {
  const keys = SYMBOLS.map(symbol => `bar:${TAG}:${symbol}:1m`)
  return { command: 'readHashes', values: [keys.length, ...keys] }
}

function look(): Operation {
  return { command: 'lookAtPartition', values: [3, leaseKey(TAG, 'aggregate'), positionKey(TAG), headsKey(TAG)] }
}

function restate({ random }: Drawing): Operation {
  const values = [2, headsKey(TAG), logKey(TAG), `nonce-${random.integer(0, 99_999)}`, Buffer.from([7, 250])]
  return { command: 'restateBar', values }
}

/** Silent members are forgotten after an hour or at once, never in between: the clocks of model and Redis differ. */
function heartbeat({ random, leaseMs }: Drawing): Operation {
  return { command: 'heartbeatMember', values: [1, membersKey('test'), random.pick(OWNERS), leaseMs] }
}

function deleteKey({ random, model }: Drawing): Operation {
  const keys = model.store.keys()
  return { command: 'del', values: [keys.length === 0 ? 'nothing' : random.pick(keys)] }
}

function plain({ random }: Drawing): Operation {
  const symbol = random.pick(SYMBOLS)
  return random.pick<Operation>([
    { command: 'hget', values: [headsKey(TAG), symbol] },
    { command: 'hmget', values: [headsKey(TAG), ...SYMBOLS, 'seq'] },
    { command: 'hlen', values: [pendingKey(TAG)] },
    { command: 'hsetnx', values: ['symbols', symbol, TAG] },
    { command: 'zrem', values: [membersKey('test'), random.pick(OWNERS)] },
    { command: 'hgetall', values: [positionKey(TAG)] },
  ])
}

function info({ random }: Drawing): Operation {
  return { command: 'hset', values: ['info', { status: random.pick(['TRADING', 'HALT']) } as unknown as string] }
}

/** A last number that is not the log's, as somebody's hand or a torn restore leaves it. */
function contradict({ random }: Drawing): Operation {
  const seq = String(random.integer(0, 12))
  return { command: 'hset', values: [headsKey(TAG), { seq } as unknown as string] }
}
