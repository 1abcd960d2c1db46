import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { NEEDS_RECORDINGS, RECORDINGS, recordedText } from '@chart/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { CSV_HEADER } from './bar-output.ts'

const CHART = new URL('../bin/chart.ts', import.meta.url).pathname
const PINNED_NODE = new URL('../../../node_modules/.bin/node', import.meta.url).pathname
const NODE = existsSync(PINNED_NODE) ? PINNED_NODE : process.execPath

const folder = mkdtempSync(join(tmpdir(), 'chart-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Answer {
  status: number | null
  out: string
  err: string
}

/** Runs `chart` as a process of its own, as a user would. */
function chart(args: string[], input: string | Uint8Array = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(NODE, [CHART, ...args])
    const answer: Answer = { status: null, out: '', err: '' }
    child.stdout.on('data', chunk => {
      answer.out += chunk
    })
    child.stderr.on('data', chunk => {
      answer.err += chunk
    })
    child.on('error', reject)
    child.on('close', status => resolve({ ...answer, status }))
    // A child that refuses its arguments does not read.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Three trades: two in the minute of 2024-08-09 00:00, one three minutes later. */
const T0 = 1_723_161_600_000
const TRADES = [
  { id: 7, price: '10.00000000', qty: '2.00000000', time: T0 + 100, maker: false },
  { id: 8, price: '12.50000000', qty: '0.10000000', time: T0 + 59_999, maker: true },
  { id: 9, price: '11.00000000', qty: '1.00000000', time: T0 + 180_000, maker: false },
]
const frameOf = ({ id, price, qty, time, maker }: (typeof TRADES)[number], symbol = 'BTCUSDT') =>
  `{"e":"trade","E":${time + 1},"s":"${symbol}","t":${id},"p":"${price}","q":"${qty}","T":${time},"m":${maker},"M":true}`
const rowOf = ({ id, price, qty, time, maker }: (typeof TRADES)[number]) =>
  `${id},${price},${qty},${Number(price) * Number(qty)},${time},${maker ? 'True' : 'False'},True`
const FRAMES = `${TRADES.map(trade => frameOf(trade)).join('\n')}\n`
const BARS = [
  `${T0},10.00000000,12.50000000,10.00000000,12.50000000,2.10000000,${T0 + 59_999},21.25000000,2,2.00000000,20.00000000,0`,
  `${T0 + 60_000},12.50000000,12.50000000,12.50000000,12.50000000,0.00000000,${T0 + 119_999},0.00000000,0,0.00000000,0.00000000,0`,
  `${T0 + 120_000},12.50000000,12.50000000,12.50000000,12.50000000,0.00000000,${T0 + 179_999},0.00000000,0,0.00000000,0.00000000,0`,
  `${T0 + 180_000},11.00000000,11.00000000,11.00000000,11.00000000,1.00000000,${T0 + 239_999},11.00000000,1,1.00000000,11.00000000,0`,
]
const CSV = `${[CSV_HEADER, ...BARS].join('\n')}\n`

describe.skipIf(RECORDINGS === undefined)(`recorded trades${NEEDS_RECORDINGS}`, () => {
  const frames = 'hftbacktest-btcusdt-trade-20240808T2354.raw.gz'
  const archive = 'alexpaturov-BTCUSDT-trades-20260203T0000.csv.gz'

  /** The expected bars (of 13 columns) as rows of the exchange's archive. */
  function expectedRows(name: string): string[] {
    return recordedText(name)
      .trim()
      .split('\n')
      .slice(1)
      .map(line => {
        const [openTime, open, high, low, close, volume, quote, count, takerBase, takerQuote] = line.split(',')
        return `${openTime},${open},${high},${low},${close},${volume},${Number(openTime) + 59_999},${quote},${count},${takerBase},${takerQuote},0`
      })
  }

  test('the 5m bar of the 2024 recording is the line of the exchange, byte for byte', async () => {
    const { out, status, err } = await chart([
      'aggregate',
      `${RECORDINGS}/${frames}`,
      '--interval',
      '5m',
      '--no-header',
    ])
    const line = recordedText('skytree-BTCUSDT-5m-2024-08-08.csv')
      .split('\n')
      .find(row => row.startsWith('1723161300000,'))
    expect(line).toBeDefined()
    expect(out.split('\n')[1]).toBe(line)
    expect({ status, err }).toEqual({ status: 0, err: '' })
  })

  test.each([
    [frames, 'expected-1m-hftbacktest-btcusdt-20240808T2354.csv'],
    [archive, 'expected-1m-alexpaturov-BTCUSDT-20260203T0000.csv'],
    ['gct-rest-trades-ETHBTC-1000-20230320.json.gz', 'expected-1m-gct-ETHBTC-20230320.csv'],
  ])('the minutes of %s are the expected ones', async (recording, expected) => {
    const { out, status } = await chart(['aggregate', `${RECORDINGS}/${recording}`, '--symbol', symbolOf(recording)])
    expect(out).toBe(`${[CSV_HEADER, ...expectedRows(expected)].join('\n')}\n`)
    expect(status).toBe(0)
  })

  test('with --time-unit us the rows are those of the archive since 2025, and --no-header leaves only rows', async () => {
    const file = `${RECORDINGS}/${archive}`
    const rows = (await chart(['aggregate', file, '--no-header'])).out.trim().split('\n')
    const micros = (await chart(['aggregate', file, '--no-header', '--time-unit', 'us'])).out.trim().split('\n')
    expect(micros[0]).toMatch(/^1770076800000000,78738\.60000000,.*,1770076859999999,/)
    const inMicros = (row: string) => row.replace(/^(\d+),/, '$1000,').replace(/^((?:[^,]*,){6})(\d+)/, '$1$2999')
    expect(micros).toEqual(rows.map(inMicros))
    expect((await chart(['aggregate', file, '--time-unit', 'ns'])).status).toBe(2)
  })

  test('the same trades as archive rows in microseconds, plain, through stdin and cut into two files, give the same bytes', async () => {
    const rows = recordedText(archive)
      .trim()
      .split('\n')
      .slice(1)
      .map(line => {
        const [id, , price, quantity, quote, time, maker, best] = line.split(',')
        return `${id},${price},${quantity},${quote},${time}123,${maker},${best}`
      })
    const whole = (await chart(['aggregate', `${RECORDINGS}/${archive}`])).out
    const first = fileOf('BTCUSDT-trades-2026-02-03.csv', `${rows.slice(0, 12_345).join('\n')}\n`)
    const second = fileOf('BTCUSDT-trades-2026-02-04.csv', rows.slice(12_000).join('\r\n'))
    const cut = await chart(['aggregate', first, second])
    expect(cut.out).toBe(whole)
    expect(cut.err).toBe('chart aggregate: BTCUSDT: 345 duplicate trades left out\n')
    const piped = await chart(['aggregate', '-', '--symbol', 'BTCUSDT'], gzipSync(rows.join('\n')))
    expect(piped).toEqual({ status: 0, out: whole, err: '' })
  })

  test('frames of other kinds between the trades are no error', async () => {
    const file = `${RECORDINGS}/hftbacktest-btcusdt-mixed-streams-head3000.raw.gz`
    const { status, err, out } = await chart(['aggregate', file, '--format', 'json'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ openTime: 1_723_161_240_000, tradeCount: 518, firstTradeId: 3_735_683_259 })
  })

  test('a recording that holds no single trades, only aggregates and klines, is said to hold none', async () => {
    const { status, err } = await chart(['aggregate', `${RECORDINGS}/cryptofeed-binance-ws-20211012.raw.gz`])
    expect({ status, err }).toEqual({ status: 1, err: 'chart aggregate: the input holds no trades\n' })
  })

  function symbolOf(name: string): string {
    return name.includes('ETHBTC') ? 'ETHBTC' : 'BTCUSDT'
  }
})

describe.concurrent('forms of input, all giving the same bars', () => {
  const lines = FRAMES.trim().split('\n')
  const archiveRows = TRADES.map(rowOf).join('\n')
  test.each<[string, string | Uint8Array, string[]]>([
    ['bare frames', FRAMES, []],
    ['frames in the envelope', lines.map(line => `{"stream":"btcusdt@trade","data":${line}}`).join('\n'), []],
    ['a receive time in nanoseconds', lines.map(line => `1723161254087896568 ${line}`).join('\n'), []],
    ['a receive time in seconds and a colon', lines.map(line => `1633998512.0633569: ${line}`).join('\n'), []],
    ['frames in microseconds', FRAMES.replace(/"([ET])":(\d+)/g, '"$1":$2999'), []],
    ['CRLF, a byte order mark and empty lines', `\uFEFF${lines.join('\r\n\r\n')}\r\n\n`, []],
    ['gzip', gzipSync(FRAMES), []],
    ['gzip in two members', Buffer.concat([gzipSync(`${lines[0]}\n`), gzipSync(lines.slice(1).join('\n'))]), []],
    ['the address of a session and answers between', `wss://x <-> 1.5\n{"result":null,"id":1}\n${FRAMES}`, []],
    ['archive rows', archiveRows, ['--symbol', 'BTCUSDT']],
    ['archive rows in microseconds', archiveRows.replace(/,(\d{13}),/g, ',$1001,'), ['--symbol', 'BTCUSDT']],
    [
      'archive rows with a header',
      `id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n${archiveRows}`,
      ['--symbol', 'BTCUSDT'],
    ],
    [
      'columns in another order, with a symbol',
      `TradeTime,"IsBuyerMaker",Symbol,Quantity,TradeId,Price\n${TRADES.map(t => `${t.time},${t.maker ? 't' : 'f'},BTCUSDT,${t.qty},${t.id},"${t.price}"`).join('\n')}`,
      [],
    ],
    ['booleans as digits', archiveRows.replaceAll('True', '1').replaceAll('False', '0'), ['--symbol', 'BTCUSDT']],
    ['a REST answer on one line', JSON.stringify(TRADES.map(restRowOf)), ['--symbol', 'BTCUSDT']],
    ['a REST answer over many lines', JSON.stringify(TRADES.map(restRowOf), null, 2), ['--symbol', 'BTCUSDT']],
    [
      'pages of REST answers',
      TRADES.map(trade => JSON.stringify([restRowOf(trade)])).join('\n'),
      ['--symbol', 'BTCUSDT'],
    ],
    [
      'REST rows, one a line',
      TRADES.map(trade => JSON.stringify(restRowOf(trade))).join('\n'),
      ['--symbol', 'BTCUSDT'],
    ],
    ['ids out of order', lines.toReversed().join('\n'), []],
  ])('%s', async (_name, content, args) => {
    expect(await chart(['aggregate', '-', ...args], content)).toEqual({ status: 0, out: CSV, err: '' })
  })

  function restRowOf({ id, price, qty, time, maker }: (typeof TRADES)[number]) {
    return { id, price, qty, quoteQty: '1', time, isBuyerMaker: maker, isBestMatch: true }
  }
})

describe.concurrent('output', () => {
  test('JSON has every field of a bar; the bar of the first trade is not complete, the last one is live', async () => {
    const { out } = await chart(['aggregate', '-', '--format', 'json'], FRAMES)
    const bars = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(
      bars.map(bar => [bar.openTime - T0, bar.tradeCount, bar.firstTradeId, bar.lastTradeId, bar.state, bar.complete]),
    ).toEqual([
      [0, 2, 7, 8, 'closed', false],
      [60_000, 0, -1, -1, 'closed', true],
      [120_000, 0, -1, -1, 'closed', true],
      [180_000, 1, 9, 9, 'live', true],
    ])
    expect(bars[0]).toEqual({
      symbol: 'BTCUSDT',
      interval: '1m',
      openTime: T0,
      closeTime: T0 + 59_999,
      open: '10.00000000',
      high: '12.50000000',
      low: '10.00000000',
      close: '12.50000000',
      baseVolume: '2.10000000',
      quoteVolume: '21.25000000',
      takerBuyBaseVolume: '2.00000000',
      takerBuyQuoteVolume: '20.00000000',
      tradeCount: 2,
      firstTradeId: 7,
      lastTradeId: 8,
      state: 'closed',
      revision: 0,
      complete: false,
    })
  })

  test('a first trade with id 0 has nothing before it, so its bar is complete', async () => {
    const { out } = await chart(['aggregate', '-', '--format', 'json'], frameOf({ ...TRADES[0]!, id: 0 }))
    expect(JSON.parse(out)).toMatchObject({ complete: true })
  })

  test('JSON takes several intervals and several symbols', async () => {
    const input = `${FRAMES}${TRADES.map(trade => frameOf(trade, 'ETHUSDT')).join('\n')}`
    const { out, status } = await chart(['aggregate', '-', '--format', 'json', '--interval', 'all'], input)
    const bars = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      for (const [interval, count] of Object.entries({
        '1s': 181,
        '1m': 4,
        '5m': 1,
        '15m': 1,
        '1h': 1,
        '4h': 1,
        '1d': 1,
      })) {
        const own = bars.filter(bar => bar.symbol === symbol && bar.interval === interval)
        expect(own.length, `${symbol} ${interval}`).toBe(count)
        expect(own.reduce((sum, bar) => sum + bar.tradeCount, 0)).toBe(3)
        expect(own.map(bar => bar.openTime)).toEqual(own.map(bar => bar.openTime).sort())
      }
    }
    expect(status).toBe(0)
  })

  test('--no-header leaves the line of names away, --symbol chooses one of several symbols', async () => {
    const input = `${FRAMES}${frameOf(TRADES[0]!, 'ETHUSDT')}`
    const { out } = await chart(['aggregate', '-', '--no-header', '--symbol', 'BTCUSDT'], input)
    expect(out).toBe(`${BARS.join('\n')}\n`)
  })

  test('a late trade is in its bar, which is printed once', async () => {
    const late = { id: 10, price: '99.00000000', qty: '1.00000000', time: T0 + 5, maker: true }
    const { out, status } = await chart(['aggregate', '-', '--format', 'json'], FRAMES + frameOf(late))
    const bars = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(bars.map(bar => [bar.tradeCount, bar.close, bar.revision])).toEqual([
      [3, '99.00000000', 1],
      [0, '99.00000000', 1],
      [0, '99.00000000', 1],
      [1, '11.00000000', 0],
    ])
    expect(status).toBe(0)
  })

  test('a reader that has seen enough ends it quietly', async () => {
    const seconds = Array.from({ length: 50_000 }, (_, id) => frameOf({ ...TRADES[0]!, id, time: T0 + id * 1_000 }))
    const file = fileOf('long.jsonl', seconds.join('\n'))
    const child = spawn('sh', ['-c', `'${NODE}' '${CHART}' aggregate '${file}' --interval 1s | head -n 2`])
    let out = ''
    let err = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    await new Promise(resolve => child.on('close', resolve))
    expect(out.split('\n').length).toBe(3)
    expect(err).toBe('')
  })
})

describe.concurrent('holes, and trades in the wrong place', () => {
  test('missing ids are told, and make exactly the bars they may belong to incomplete', async () => {
    const input = [
      { ...TRADES[0]!, id: 0 },
      { ...TRADES[1]!, id: 1, time: T0 + 60_001 },
      { ...TRADES[2]!, id: 5, time: T0 + 125_000 },
      { ...TRADES[2]!, id: 6, time: T0 + 185_000 },
    ]
    const { out, err, status } = await chart(
      ['aggregate', '-', '--format', 'json'],
      input.map(one => frameOf(one)).join('\n'),
    )
    expect(
      out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).complete),
    ).toEqual([true, false, false, true])
    expect(err).toBe('chart aggregate: BTCUSDT: 3 trade ids missing in 1 hole, the first 2 to 4\n')
    expect(status).toBe(0)
  })

  test('a trade that comes when its hole has long been passed is told and fails the run', async () => {
    const ids = [0, 1, 3, ...Array.from({ length: 1_500 }, (_, index) => 4 + index), 2]
    const input = ids.map(id => frameOf({ ...TRADES[0]!, id, time: T0 + id })).join('\n')
    const { err, status } = await chart(['aggregate', '-'], input)
    expect(err).toContain('BTCUSDT: 1 trade left out, more than 1000 trades too late')
    expect(status).toBe(1)
  })
})

describe.concurrent('bad input', () => {
  test('malformed lines are told with their place, the first few, and counted; the rest is printed', async () => {
    const lines = FRAMES.trim().split('\n')
    const bad = [
      '{"e":"trade"',
      'rubbish',
      lines[0]!.replace('10.00000000', '-1.00000000'),
      '7,abc,1,1,1723161600000,True,True',
      '[1,',
      '2]',
      '{"e":"trade","s":"BTCUSDT"}',
      '1,2,3',
    ]
    const file = fileOf('bad.jsonl', `${[...bad, ...lines].join('\n')}\n`)
    const { out, err, status } = await chart(['aggregate', file])
    expect(out).toBe(CSV)
    expect(status).toBe(1)
    const told = err.trim().split('\n')
    expect(told.length).toBe(6)
    expect(told[0]).toBe(`chart aggregate: ${file}:1: the frame is not JSON`)
    expect(told[1]).toBe(`chart aggregate: ${file}:2: neither a trade frame nor a row of trades`)
    expect(told[5]).toBe('chart aggregate: 8 malformed lines left out')
    expect((await chart(['aggregate', file, '--skip-malformed'])).status).toBe(0)
  })

  test.each<[string, string[], number, string]>([
    [
      'an unknown interval',
      ['aggregate', '-', '--interval', '7m'],
      2,
      'chart aggregate: unknown interval "7m"; known are 1s, 1m, ',
    ],
    [
      'several intervals as CSV',
      ['aggregate', '-', '--interval', '1m,5m'],
      2,
      'chart aggregate: CSV has no column for the interval',
    ],
    [
      'an unknown format',
      ['aggregate', '-', '--format', 'xml'],
      2,
      'chart aggregate: --format must be csv or json, not "xml"',
    ],
    [
      'a symbol in lower case',
      ['aggregate', '-', '--symbol', 'btcusdt'],
      2,
      'chart aggregate: --symbol must look like BTCUSDT',
    ],
    ['an unknown flag', ['aggregate', '-', '--fast'], 2, "chart aggregate: Unknown option '--fast'"],
    [
      'a flag without its value',
      ['aggregate', '-', '--interval'],
      2,
      "chart aggregate: Option '--interval <value>' argument missing",
    ],
    ['no file', ['aggregate'], 2, 'chart aggregate: no FILE given'],
    [
      'a missing file',
      ['aggregate', '-', '/nowhere/x.csv'],
      1,
      'chart aggregate: /nowhere/x.csv: there is no such file',
    ],
    ['a folder', ['aggregate', tmpdir()], 1, `chart aggregate: ${tmpdir()}: is a folder`],
    ['an unknown command', ['agregate'], 2, 'chart: unknown command "agregate"; known are '],
    ['a command named like a property', ['constructor'], 2, 'chart: unknown command "constructor"'],
  ])('%s gets one clear line', async (_name, args, status, line) => {
    const answer = await chart(args)
    expect(answer.err).toMatch(/^[^\n]+\n$/)
    expect(answer.err.startsWith(line), answer.err).toBe(true)
    expect({ status: answer.status, out: answer.out }).toEqual({ status, out: '' })
  })

  test('several symbols as CSV, and trades without a symbol, are refused with what to do', async () => {
    const two = await chart(['aggregate', '-'], FRAMES + frameOf(TRADES[0]!, 'ETHUSDT'))
    expect(two.status).toBe(2)
    expect(two.err).toContain('the input holds BTCUSDT and ETHUSDT')
    const none = await chart(['aggregate', '-'], TRADES.map(rowOf).join('\n'))
    expect(none).toEqual({
      status: 2,
      out: '',
      err: 'chart aggregate: -: its trades carry no symbol; name it with --symbol\n',
    })
  })

  test('an empty input, and one without the symbol asked for, hold no trades', async () => {
    expect(await chart(['aggregate', '-'])).toEqual({
      status: 1,
      out: '',
      err: 'chart aggregate: the input holds no trades\n',
    })
    const other = await chart(['aggregate', '-', '--symbol', 'XYZ'], FRAMES)
    expect(other).toEqual({ status: 1, out: '', err: 'chart aggregate: the input holds no trades of XYZ\n' })
  })

  test('a compressed file that is cut off is said to be damaged', async () => {
    const file = fileOf('cut.gz', gzipSync(FRAMES).subarray(0, -12))
    const { err, status } = await chart(['aggregate', file])
    expect(err).toMatch(/cut\.gz: the compressed file is damaged or cut off/)
    expect(status).toBe(1)
  })
})

describe('help', () => {
  test('chart alone and --help list the commands, chart aggregate --help explains', async () => {
    const alone = await chart([])
    expect(alone).toEqual(await chart(['--help']))
    expect(alone.out).toMatch(/^usage: chart COMMAND/)
    expect(alone.out).toContain('aggregate')
    expect(alone.status).toBe(0)
    const help = await chart(['aggregate', '--help'])
    expect(help.out).toMatch(/^usage: chart aggregate FILE/)
    expect(help.status).toBe(0)
  })
})
