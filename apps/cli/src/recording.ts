import { constants, createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { feedMessageOf, MalformedMessageError, tradeOfRestRow } from '@chart/binance'
import { isSymbol, type Trade } from '@chart/market'

/** What one line of a recording holds. A symbol is undefined where neither the line nor the file's name tells it. */
export type RecordedItem =
  | { kind: 'trade'; symbol: string | undefined; trade: Trade }
  /** A line that means something, but no trade: depth, klines, answers, the address that a recorder noted first. */
  | { kind: 'other' }
  | { kind: 'malformed'; line: number; reason: string }

/** Longest line, and largest JSON array over several lines, that is read. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024

/** A recording that cannot be read to its end. */
export class RecordingError extends Error {
  override name = 'RecordingError'
}

/**
 * The items of one recording, in the order of its lines, a batch for each piece that the disk or pipe delivers.
 * @param path a file, or `-` for `stdin`
 * @throws RecordingError
 */
export async function* readRecording(path: string, stdin: Readable): AsyncGenerator<RecordedItem[]> {
  const source = path === '-' ? stdin : createReadStream(path)
  const parser = new LineParser(symbolOfFileName(path))
  try {
    for await (const lines of linesOf(unzipped(source))) {
      const items: RecordedItem[] = []
      for (const line of lines) parser.parse(line, items)
      yield items
    }
    const items: RecordedItem[] = []
    parser.end(items)
    yield items
  } catch (error) {
    if (!(error instanceof Error) || error instanceof RecordingError) throw error
    throw new RecordingError(`${path}: ${reasonOf(error)}`, { cause: error })
  } finally {
    source.destroy()
  }
}

/**
 * Says at once what cannot be read, before hours of work on the files before it.
 * @throws RecordingError
 */
export async function checkReadable(path: string): Promise<void> {
  if (path === '-') return
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw new RecordingError(`${path}: ${reasonOf(error as Error)}`, { cause: error })
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such file'
  if (error.code === 'EISDIR') return 'is a folder'
  if (error.code === 'EACCES') return 'may not be read'
  if (error.code?.startsWith('Z_')) return `the compressed file is damaged or cut off (${error.message})`
  return error.message
}

/** The exchange names the files of its archive BTCUSDT-trades-2024-08-08.csv. */
function symbolOfFileName(path: string): string | undefined {
  const symbol = /^([A-Z0-9]+)-trades-/.exec(basename(path))?.[1]
  return symbol !== undefined && isSymbol(symbol) ? symbol : undefined
}

/** `chunks` as they are, or uncompressed when they begin like gzip. */
async function* unzipped(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { value, done } = await iterator.next()
    if (done) break
    head = Buffer.concat([head, Buffer.from(value)])
  }
  async function* whole() {
    yield head
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) yield* whole()
  // The callback is for errors; they reach the loop as well, and there they are handled.
  else yield* pipeline(Readable.from(whole()), createGunzip(), () => {}) as AsyncIterable<Buffer>
}

const NEWLINE = 0x0a
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** The lines of each chunk, without their ends. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let begun: Buffer[] = []
  let begunBytes = 0
  let first = true
  for await (const whole of chunks) {
    let chunk = whole
    if (first && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK)) chunk = chunk.subarray(3)
    first = false
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end)
      lines.push(begun.length === 0 ? rest : Buffer.concat([...begun, rest]))
      begun = []
      begunBytes = 0
      start = end + 1
    }
    if (start < chunk.length) {
      begun.push(chunk.subarray(start))
      begunBytes += chunk.length - start
    }
    checkSize(begunBytes)
    yield lines
  }
  if (begun.length > 0) yield [Buffer.concat(begun)]
}

function checkSize(bytes: number): void {
  if (bytes > LINE_BYTES_MAX) throw new Error(`a line is longer than ${LINE_BYTES_MAX} bytes`)
}

const OPENING_BRACE = 0x7b
const OPENING_BRACKET = 0x5b

/** A receive time before the frame: `1723161254087896568 {…` in nanoseconds, or `1633998512.0633569: {…` in seconds. */
const RECEIVED_TIME = /^\d+(?:\.\d+)?:?\s+(?=[{[])/

/** Columns of the archive's CSV of trades, which has no header of its own. */
const ARCHIVE_COLUMNS = { id: 0, price: 1, quantity: 2, time: 4, buyerIsMaker: 5, symbol: -1 }

/** What a header may call a column, in lower case without anything but letters. */
const COLUMN_NAMES: Readonly<Record<keyof typeof ARCHIVE_COLUMNS, readonly string[]>> = {
  id: ['id', 'tradeid'],
  price: ['price'],
  quantity: ['qty', 'quantity'],
  time: ['time', 'tradetime', 'timestamp', 'transacttime'],
  buyerIsMaker: ['isbuyermaker', 'buyerismaker', 'wasthebuyerthemaker'],
  symbol: ['symbol'],
}

/** Below it a time is in milliseconds (until the year 5138), from it on in microseconds (since 1973). */
const MICROSECONDS_FROM = 100_000_000_000_000

/** Turns lines into items. It remembers the columns that a header named, and an array that goes over several lines. */
class LineParser {
  readonly #fileSymbol: string | undefined
  #line = 0
  #columns: typeof ARCHIVE_COLUMNS | undefined
  #array: { text: string[]; bytes: number; line: number } | undefined

  constructor(fileSymbol: string | undefined) {
    this.#fileSymbol = fileSymbol
  }

  parse(bytes: Buffer, items: RecordedItem[]): void {
    this.#line++
    if (this.#array !== undefined) {
      this.#continueArray(bytes.toString('utf8'), items)
      return
    }
    if (bytes[0] === OPENING_BRACE) {
      this.#frame(bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes, items)
      return
    }
    // The receive time is short; the frame behind it stays bytes, which are read faster than text.
    const received = RECEIVED_TIME.exec(bytes.toString('latin1', 0, 48))?.[0].length ?? 0
    if (received > 0) {
      const frame = bytes.at(-1) === 0x0d ? bytes.subarray(received, -1) : bytes.subarray(received)
      if (frame[0] === OPENING_BRACE) this.#frame(frame, items)
      else items.push({ kind: 'other' })
      return
    }
    const text = bytes.toString('utf8').trim()
    if (text === '') return
    if (text.charCodeAt(0) === OPENING_BRACKET) {
      this.#array = { text: [], bytes: 0, line: this.#line }
      this.#continueArray(text, items)
    } else if (text.charCodeAt(0) === OPENING_BRACE) this.#frame(Buffer.from(text), items)
    else if (/^wss?:\/\//.test(text)) items.push({ kind: 'other' })
    else this.#csvRow(text, items)
  }

  /** Tells of an array that was begun and not ended. */
  end(items: RecordedItem[]): void {
    if (this.#array !== undefined) {
      items.push({ kind: 'malformed', line: this.#array.line, reason: 'the JSON array has no end' })
    }
  }

  #frame(frame: Buffer, items: RecordedItem[]): void {
    let message = feedMessageOf(frame)
    // With timeUnit=MICROSECOND every time of a stream has sixteen digits.
    if (message.kind === 'malformed') {
      const text = frame.toString('utf8')
      const cut = text.replace(/"([TE])":(\d{13})\d{3}(?!\d)/g, '"$1":$2')
      if (cut !== text) message = feedMessageOf(cut)
    }
    if (message.kind === 'trade') items.push({ kind: 'trade', symbol: message.symbol, trade: message.trade })
    else if (message.kind === 'malformed') items.push({ kind: 'malformed', line: this.#line, reason: message.reason })
    else if (message.kind === 'other' && frame.includes('"qty"')) {
      this.#restRow(JSON.parse(frame.toString('utf8')), this.#line, '', items)
    } else items.push({ kind: 'other' })
  }

  #continueArray(text: string, items: RecordedItem[]): void {
    const array = this.#array!
    array.text.push(text)
    array.bytes += text.length
    checkSize(array.bytes)
    // No trade holds an array, so the first line that ends with a bracket ends the whole.
    if (!text.trimEnd().endsWith(']')) return
    this.#array = undefined
    let rows: unknown
    try {
      rows = JSON.parse(array.text.join('\n'))
    } catch {
      items.push({ kind: 'malformed', line: array.line, reason: 'the array is not JSON' })
      return
    }
    for (const [index, row] of (rows as unknown[]).entries()) {
      this.#restRow(row, array.line, `trade ${index + 1} of the array: `, items)
    }
  }

  #restRow(row: unknown, line: number, where: string, items: RecordedItem[]): void {
    const { symbol } = (row ?? {}) as { symbol?: unknown }
    this.#trade(row, isSymbolText(symbol) ? symbol : this.#fileSymbol, line, where, items)
  }

  #csvRow(text: string, items: RecordedItem[]): void {
    const fields = text.split(',').map(field => field.replace(/^\s*"?|"?\s*$/g, ''))
    const header = /^\d+$/.test(fields[0]!) ? undefined : columnsOf(fields)
    if (header !== undefined) {
      this.#columns = header
      return
    }
    const columns = this.#columns ?? ARCHIVE_COLUMNS
    const malformed = (reason: string) => void items.push({ kind: 'malformed', line: this.#line, reason })
    const { id, time, price, quantity, buyerIsMaker, symbol } = columns
    if (fields.length <= Math.max(id, time, price, quantity, buyerIsMaker)) {
      malformed('neither a trade frame nor a row of trades')
      return
    }
    const side = booleanOf(fields[buyerIsMaker]!)
    if (side === undefined) malformed(`"${fields[buyerIsMaker]!.slice(0, 20)}" is neither true nor false`)
    else {
      const row = {
        id: integerOf(fields[id]!),
        price: fields[price],
        qty: fields[quantity],
        time: integerOf(fields[time]!),
        isBuyerMaker: side,
      }
      const named = fields[symbol]
      this.#trade(row, isSymbolText(named) ? named : this.#fileSymbol, this.#line, '', items)
    }
  }

  #trade(row: unknown, symbol: string | undefined, line: number, where: string, items: RecordedItem[]): void {
    try {
      const trade = tradeOfRestRow(inMilliseconds(row))
      items.push(trade === undefined ? { kind: 'other' } : { kind: 'trade', symbol, trade })
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error
      items.push({ kind: 'malformed', line, reason: where + error.message })
    }
  }
}

function isSymbolText(value: unknown): value is string {
  return typeof value === 'string' && isSymbol(value)
}

/** Where a header's columns are, or undefined when it names no trades. */
function columnsOf(fields: readonly string[]): typeof ARCHIVE_COLUMNS | undefined {
  const names = fields.map(field => field.toLowerCase().replace(/[^a-z]/g, ''))
  const columns = { ...ARCHIVE_COLUMNS }
  for (const column of Object.keys(COLUMN_NAMES) as (keyof typeof ARCHIVE_COLUMNS)[]) {
    columns[column] = names.findIndex(name => COLUMN_NAMES[column].includes(name))
    if (columns[column] < 0 && column !== 'symbol') return undefined
  }
  return columns
}

function integerOf(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined
}

function booleanOf(text: string): boolean | undefined {
  if (/^(?:true|t|1)$/i.test(text)) return true
  return /^(?:false|f|0)$/i.test(text) ? false : undefined
}

function inMilliseconds(row: unknown): unknown {
  const time = (row as { time?: unknown } | null)?.time
  if (typeof time !== 'number' || time < MICROSECONDS_FROM) return row
  return { ...(row as object), time: Math.floor(time / 1_000) }
}
