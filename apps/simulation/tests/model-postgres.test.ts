import type { BarText } from '@chart/market'
import { listBars, migrate, openPostgres, type Postgres, upsertBars } from '@chart/postgres'
import { type PostgresServer, startPostgres } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ModelPostgres } from '../src/model-postgres.ts'
import { Random } from '../src/random.ts'
import { Tally } from '../src/tally.ts'
import { VirtualTime } from '../src/virtual-time.ts'

const SEED = Number(process.env.TEST_SEED ?? 1)
const ROUNDS = 60
const START = Date.UTC(2026, 2, 3)
const MINUTE_MS = 60_000

let server: PostgresServer
let postgres: Postgres

beforeAll(async () => {
  server = await startPostgres()
  postgres = await openPostgres({ url: server.url, applicationName: 'model-test' })
  await migrate(postgres)
})

afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
  await server.close()
})

/** A version of one of few bars, which differ in everything that the guard looks at. */
function drawBar(random: Random): BarText {
  const openTime = START + random.integer(0, 3) * MINUTE_MS
  const tradeCount = random.integer(0, 3)
  const price = `${random.integer(1, 9)}.50000000`
  return {
    symbol: random.pick(['AAAUSDT', 'BBBUSDT']),
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE_MS - 1,
    open: price,
    high: price,
    low: price,
    close: price,
    baseVolume: '1.00000000',
    quoteVolume: '2.00000000',
    takerBuyBaseVolume: '0.00000000',
    takerBuyQuoteVolume: '0.00000000',
    tradeCount,
    firstTradeId: tradeCount === 0 ? -1 : 5,
    lastTradeId: tradeCount === 0 ? -1 : 5 + random.integer(0, 3),
    state: 'closed',
    revision: random.integer(0, 3),
    complete: random.chance(0.5),
  }
}

test(`after ${ROUNDS} rounds of upserts in any order the model has the rows of the real table`, async () => {
  const random = new Random(SEED, 'upserts')
  const model = new ModelPostgres(new VirtualTime(0), random, new Tally())
  const modelled = { query: async (statement: Parameters<Postgres['query']>[0]) => model.run(statement) } as never
  for (let round = 0; round < ROUNDS; round++) {
    const bars = Array.from({ length: random.integer(1, 6) }, () => drawBar(random))
    expect(await upsertBars(modelled, bars)).toEqual(await upsertBars(postgres, bars))
    for (const symbol of ['AAAUSDT', 'BBBUSDT']) {
      for (const order of ['oldest', 'newest'] as const) {
        const range = {
          symbol,
          interval: '1m',
          order,
          limit: random.integer(1, 5),
          from: START,
          to: START + 3 * MINUTE_MS,
        }
        expect(await listBars(modelled, range), `TEST_SEED=${SEED}`).toEqual(await listBars(postgres, range))
      }
    }
  }
})
