import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { type Trade, withEightDecimals } from './trade.ts'

/** Trades of one recording, which are held in memory (about 250 B each); past it reading fails. */
const recordedTradesMax = 20_000_000

interface RecordedTrade extends Trade {
  readonly symbol: string
}

/**
 * Trades by symbol from a file of raw `@trade` frames or an archive CSV, gzipped or not. They come back in id order and
 * each id once, as the exchange sent them, whatever order they were stored in.
 */
export async function readRecording(path: string, symbol?: string): Promise<Map<string, Trade[]>> {
  const bySymbol = new Map<string, RecordedTrade[]>()
  let readLine: ((line: string) => RecordedTrade | undefined) | undefined
  let count = 0
  for await (const line of await openLines(path)) {
    if (line.trim() === '') continue
    readLine ??= /^(wss?:|[\d.]+:? *\{|\{)/.test(line) ? tradeOfFrame : csvReader(line, symbol ?? symbolOfFile(path))
    const trade = readLine(line)
    if (!trade || (symbol && trade.symbol !== symbol)) continue
    if (++count > recordedTradesMax) throw new Error(`${path}: more than ${recordedTradesMax} trades`)
    const trades = bySymbol.get(trade.symbol)
    if (trades) trades.push(trade)
    else bySymbol.set(trade.symbol, [trade])
  }
  if (count === 0) throw new Error(`${path}: no trades${symbol ? ` of ${symbol}` : ''} in it`)
  return new Map([...bySymbol].map(([name, trades]) => [name, inIdOrder(trades)]))
}

async function openLines(path: string): Promise<AsyncIterable<string>> {
  await using file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
  const bytes = createReadStream(path)
  const gzipped = buffer[0] === 0x1f && buffer[1] === 0x8b
  // `pipe` does not carry errors over; without this a file that vanishes would leave the lines waiting for ever.
  const plain = gzipped ? bytes.on('error', error => plain.destroy(error)).pipe(createGunzip()) : bytes
  return createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })
}

/** The archive names its files `BTCUSDT-trades-2024-08-08.csv`. */
function symbolOfFile(path: string): string | undefined {
  return /(?:^|[-_])([A-Z0-9]{5,20})-trades/.exec(basename(path))?.[1]
}

/**
 * A recorder's line: local time (ns, or seconds and a colon), space, frame; or the frame alone.
 * `1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,…}}`
 */
function tradeOfFrame(line: string): RecordedTrade | undefined {
  const start = line.indexOf('{')
  if (start < 0) return undefined
  const message = JSON.parse(line.slice(start))
  const event = message.data ?? message
  if (event.e !== 'trade') return undefined
  return {
    symbol: event.s,
    tradeId: event.t,
    price: withEightDecimals(event.p),
    quantity: withEightDecimals(event.q),
    tradeTime: milliseconds(event.T),
    eventTime: milliseconds(event.E),
    buyerIsMaker: event.m,
  }
}

/** The archive's own order of columns, for a file without a header. */
const archiveColumns = ['id', 'price', 'qty', 'quoteqty', 'time', 'isbuyermaker', 'isbestmatch']
const namesOf = {
  tradeId: ['id', 'tradeid', 't'],
  symbol: ['symbol', 's'],
  price: ['price', 'p'],
  quantity: ['qty', 'quantity', 'q'],
  tradeTime: ['time', 'tradetime', 'timestamp'],
  buyerIsMaker: ['isbuyermaker', 'buyerismaker', 'm'],
}

/** A reader of CSV lines, made from the first one; that one is data where it begins with a digit, else a header. */
function csvReader(firstLine: string, symbol: string | undefined): (line: string) => RecordedTrade | undefined {
  const hasHeader = !/^\d/.test(firstLine)
  const columns = hasHeader
    ? firstLine.split(',').map(name => name.trim().toLowerCase().replaceAll('_', ''))
    : archiveColumns
  const indexOf = (field: keyof typeof namesOf) => columns.findIndex(column => namesOf[field].includes(column))
  const required = (field: keyof typeof namesOf) => {
    const index = indexOf(field)
    if (index < 0) throw new Error(`recording has no column for ${field}: ${firstLine}`)
    return index
  }
  const [id, price, quantity] = [required('tradeId'), required('price'), required('quantity')]
  const [time, maker, symbolIndex] = [required('tradeTime'), required('buyerIsMaker'), indexOf('symbol')]
  if (symbolIndex < 0 && !symbol) throw new Error('recording does not name its symbol; give it as an option')
  let isHeader = hasHeader
  return line => {
    if (isHeader) {
      isHeader = false
      return undefined
    }
    const cells = line.split(',')
    const tradeTime = milliseconds(Number(cells[time]))
    const tradeId = Number(cells[id])
    if (!Number.isSafeInteger(tradeId) || !Number.isSafeInteger(tradeTime)) throw new Error(`not a trade: ${line}`)
    return {
      symbol: symbolIndex < 0 ? symbol! : cells[symbolIndex]!,
      tradeId,
      price: withEightDecimals(cells[price]!),
      quantity: withEightDecimals(cells[quantity]!),
      tradeTime,
      eventTime: tradeTime,
      buyerIsMaker: /^t(rue)?$/i.test(cells[maker]!),
    }
  }
}

/** Archives since 2025 and streams on request have microseconds; as milliseconds those would lie after the year 5000. */
function milliseconds(time: number): number {
  return time > 1e14 ? Math.floor(time / 1000) : time
}

function inIdOrder(trades: readonly RecordedTrade[]): Trade[] {
  const sorted = [...trades].sort((one, other) => one.tradeId - other.tradeId)
  return sorted.filter((trade, index) => trade.tradeId !== sorted[index - 1]?.tradeId)
}
