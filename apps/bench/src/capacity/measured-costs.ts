import type { Report } from '../harness/report.ts'
import type { Costs } from './costs.ts'

/** Of a symbol in an append Redis takes a look at its head and writes two hashes: half of what it takes of a commit's seven and state. */
const APPEND_SHARE = 0.25
/** A round trip over loopback, without the work of either end. */
const HOP_US = 100

/**
 * The parts of the way as the stages of a report have them. What a symbol of a commit costs is the slope between commits of one and of 64
 * symbols; what a call costs besides is what is left of a trade that comes alone, as at 1,000 trades/s.
 * @throws Error when the report lacks a stage or a row
 */
export function costsOf(report: Report): Costs {
  const row = (stage: string, variant: string, figure: string): number => {
    const found = report.stages.find(({ name }) => name === stage)?.variants.find(({ name }) => name === variant)
    const value = found?.median[figure]
    if (value === undefined) throw new Error(`the report has no ${figure} of "${variant}" in the stage ${stage}`)
    return value
  }
  const one = '2 trades of 1 symbol'
  const many = '2 trades of each of 64 symbols'
  const alone = '1,000 trades/s'
  const aggregatorSymbolUs = slopeOf(row('wide-commit', one, 'cpuUs'), row('wide-commit', many, 'cpuUs'))
  const commitSymbolUs = slopeOf(row('wide-commit', one, 'redisCpuUs'), row('wide-commit', many, 'redisCpuUs'))
  const commitCallUs = row('wide-commit', one, 'redisCpuUs') - commitSymbolUs
  const appendSymbolUs = commitSymbolUs * APPEND_SHARE
  const ingestorTradeUs = 1e6 / row('feed', 'ours', 'perCpuSecond') + row('append', 'entries of 500', 'cpuUs')
  return {
    ingestorCallUs: row('whole-way', alone, 'ingestorUs') - ingestorTradeUs,
    ingestorSymbolUs: 5,
    ingestorTradeUs,
    appendCallUs: Math.max(30, row('whole-way', alone, 'redisUs') - commitCallUs - commitSymbolUs - appendSymbolUs),
    appendSymbolUs,
    aggregatorCallUs: row('whole-way', alone, 'aggregatorUs') - aggregatorSymbolUs,
    aggregatorSymbolUs,
    aggregatorTradeUs: row('commit', "the aggregator's loop", 'cpuUs'),
    commitCallUs,
    commitSymbolUs,
    hopUs: HOP_US,
  }
}

/** Cost of one more, out of the cost of each where there is one and where there are 64. */
function slopeOf(aloneUs: number, amongUs: number): number {
  return (amongUs * 64 - aloneUs) / 63
}
