import { bytesOf, isFenced, ReplyError, type Script, type ScriptCall, TOO_LOW, textOf } from './script.ts'

/** What one block of an append says of its symbol, in the order of its list. */
interface Block {
  readonly symbol: string
  readonly expected: string
  readonly first: string
  readonly newLast: string
  readonly hole: string
  readonly tradeTime: string
  readonly watermark: string
  readonly feedState: string
}

/** scripts/append.lua */
export const append: Script = call => {
  const { store, keys, args, mutation } = call
  const [, headsKey, logKey, positionKey] = keys as [string, string, string, string]
  if (isFenced(call, textOf(args[0]))) return ['FENCED']
  const blocks = blocksOf(args)
  const heads = new Map<string, string>()
  const wrong = ['MISMATCH']
  for (const [index, { symbol, expected, first, hole, newLast }] of blocks.entries()) {
    let head = heads.get(symbol) ?? store.hget(headsKey, symbol)
    if (head === null) {
      head = store.hget(keys[5 + index * 2]!, 'lastTradeId') ?? ''
      if (head !== '') store.hset(headsKey, symbol, head)
    }
    if (head !== expected && mutation !== 'no-contiguity-check') wrong.push(symbol, head)
    else if (first !== '' && hole !== '1' && Number(first) !== Number(expected) + 1) {
      throw new ReplyError(`append: ${symbol} trade ${first} does not follow ${expected}`)
    }
    heads.set(symbol, newLast)
  }
  if (wrong.length > 1) return wrong
  const nonce = textOf(args[1])
  const payload = bytesOf(args[2])
  const last = args[4]
  const entry = last === undefined ? { nonce, payload } : { nonce, payload, traceparent: textOf(last) }
  const seq = store.hget(headsKey, 'seq')
  let n = Number(seq) + 1
  if (seq === null || store.xadd(logKey, { n, ...entry }) === undefined) {
    n = numberAfterLog(call, logKey, positionKey)
    if (store.xadd(logKey, { n, ...entry }) === undefined) return ['CORRUPT', TOO_LOW]
  }
  store.hset(headsKey, 'seq', n)
  writeFeeds(call, blocks, headsKey)
  return ['OK', String(n)]
}

/** The blocks of an append, as scripts/append.lua takes them. */
export function blocksOf(args: readonly (string | Buffer)[]): Block[] {
  return (JSON.parse(textOf(args[3])) as string[][]).map(texts => {
    const [symbol, expected, first, newLast, hole, tradeTime, watermark, feedState] = texts as [
      ...[string, string, string, string],
      ...[string, string, string, string],
    ]
    return { symbol, expected, first, newLast, hole, tradeTime, watermark, feedState }
  })
}

/** Where the last number was lost or contradicts the log: one more than log and position have. */
function numberAfterLog({ store }: ScriptCall, logKey: string, positionKey: string): number {
  const position = Number(store.hget(positionKey, 'pos') ?? '0')
  return Math.max(position, store.stream(logKey)?.lastNumber ?? 0) + 1
}

function writeFeeds({ store, keys }: ScriptCall, blocks: readonly Block[], headsKey: string): void {
  const now = Math.floor(store.now())
  for (const [index, { symbol, newLast, feedState, tradeTime, watermark }] of blocks.entries()) {
    store.hset(headsKey, symbol, newLast)
    const feed: (string | number)[] = ['state', feedState, 'lastTradeId', newLast, 'writtenTime', now]
    if (tradeTime !== '') feed.push('lastTradeTime', tradeTime)
    if (watermark !== '') feed.push('watermark', watermark)
    store.hset(keys[4 + index * 2]!, ...feed)
  }
}
