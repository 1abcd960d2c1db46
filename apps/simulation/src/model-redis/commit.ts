import { isFenced, type Script, type ScriptCall, textOf } from './script.ts'

/** Arguments before those of symbols. */
const HEAD_ARGS = 9
/** Fields of a whole hash. */
const FIELDS = 19

/** scripts/commit.lua */
export const commit: Script = call => {
  const refused = checkCommit(call)
  if (refused !== undefined) return refused
  const torn = writeBars(call)
  return [...movePosition(call), torn]
}

/** The first half of a commit that is not one step: what the mutation state-apart does. */
export const commitBarsApart: Script = call => {
  const refused = checkCommit(call)
  if (refused !== undefined) return refused
  writeBars(call)
  return ['OK', '']
}

/** The other half. */
export const commitPositionApart: Script = call => checkCommit(call) ?? [...movePosition(call), '']

function checkCommit(call: ScriptCall): string[] | undefined {
  const { store, keys, args, mutation } = call
  const [token, expectedPos, expectedRev, newPos, nonce] = args.slice(0, 5).map(textOf) as [
    string,
    string,
    string,
    string,
    string,
  ]
  if (isFenced(call, token)) return ['FENCED']
  const pos = store.hget(keys[1]!, 'pos') ?? '0'
  const rev = store.hget(keys[1]!, 'rev') ?? '0'
  const done = pos === newPos && rev === newRevOf(args) && store.hget(keys[1]!, 'by') === token
  if (done && mutation !== 'no-idempotence-check') return ['OK', rev, 'TORN']
  const looksAtPosition = mutation !== 'no-position-check' && mutation !== 'no-fence-no-position-check'
  if (looksAtPosition && (pos !== expectedPos || rev !== expectedRev)) return ['CONFLICT', pos, rev]
  const last = store.stream(keys[2]!)?.entries.find(entry => entry.n === Number(newPos))
  if (mutation !== 'no-nonce-check' && last?.nonce !== nonce) return ['CONFLICT', pos, rev]
  return undefined
}

function newRevOf(args: readonly (string | Buffer)[]): string {
  return String(Number(textOf(args[2])) + 1)
}

function barsOf(args: readonly (string | Buffer)[]): string[][] {
  return JSON.parse(textOf(args[HEAD_ARGS - 1]))
}

function symbolsOf(args: readonly (string | Buffer)[]): number {
  return Number(textOf(args[HEAD_ARGS - 2]))
}

/** Where the arguments after the state of a symbol begin, whose own begin with their number at `at`. */
function afterState(args: readonly (string | Buffer)[], at: number): number {
  return at + 1 + Number(textOf(args[at]))
}

function writeBars({ store, keys, args }: ScriptCall): 'TORN' | '' {
  const symbols = symbolsOf(args)
  let next = HEAD_ARGS
  for (let index = 0; index < symbols; index++) {
    const after = afterState(args, next)
    store.hset(keys[5 + index]!, ...args.slice(next + 1, after).map(textOf))
    next = after
  }
  let torn: 'TORN' | '' = ''
  for (const [index, fields] of barsOf(args).entries()) {
    const added = store.hset(keys[5 + symbols + index]!, ...fields)
    if (added > 0 && fields.length < 2 * FIELDS) torn = 'TORN'
  }
  return torn
}

function movePosition({ store, keys, args, publish }: ScriptCall): string[] {
  let next = HEAD_ARGS
  for (let index = 0; index < symbolsOf(args); index++) next = afterState(args, next)
  for (let at = next; at < args.length; at += 2) {
    store.hset(keys[3]!, textOf(args[at]), textOf(args[at + 1]))
  }
  const trimBefore = textOf(args[5])
  const stream = store.stream(keys[2]!)
  // Redis trims whole nodes of the stream (`~`); here it is to the entry.
  if (trimBefore !== '' && stream !== undefined) {
    stream.entries = stream.entries.filter(entry => entry.n >= Number(trimBefore))
  }
  store.hset(keys[1]!, 'pos', textOf(args[3]), 'rev', newRevOf(args), 'by', textOf(args[0]))
  const update = args[6]
  if (update !== undefined && update.length > 0) publish(keys[4]!, Buffer.from(update as Buffer))
  return ['OK', newRevOf(args)]
}
