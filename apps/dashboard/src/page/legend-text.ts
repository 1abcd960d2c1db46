import type { BarText } from '@chart/market'
import { changeText, exactText, priceText, shareText, shortVolume } from './decimals.ts'
import { timeText } from './time-text.ts'

/** One thing that the legend says. */
export interface LegendItem {
  readonly name: LegendName
  /** Short, in front of the value; may be empty. */
  readonly label: string
  readonly value: string
  /** In full, for those who want to know exactly. */
  readonly title: string
}

export type LegendName =
  | 'time'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'change'
  | 'base'
  | 'quote'
  | 'buy'
  | 'trades'
  | 'ids'
  | 'state'

/** The items of a legend, always the same ones in the same order, so that nothing moves. */
export function legendOf(bar: BarText, decimals: number | undefined): readonly LegendItem[] {
  const price = (name: LegendName, label: string, text: string): LegendItem => ({
    name,
    label,
    value: priceText(text, decimals),
    title: `${name} ${exactText(text)}`,
  })
  return [
    {
      name: 'time',
      label: '',
      value: timeText(bar.openTime, bar.interval),
      title: `${new Date(bar.openTime).toISOString()} to ${new Date(bar.closeTime).toISOString()}`,
    },
    price('open', 'O', bar.open),
    price('high', 'H', bar.high),
    price('low', 'L', bar.low),
    price('close', 'C', bar.close),
    { name: 'change', label: '', value: changeText(bar.open, bar.close), title: 'close against open' },
    volume('base', 'Vol', 'base volume', bar.baseVolume),
    volume('quote', 'Quote', 'quote volume', bar.quoteVolume),
    {
      name: 'buy',
      label: 'Buy',
      value: shareText(bar.takerBuyBaseVolume, bar.baseVolume) || '–',
      title: `bought by takers: ${exactText(bar.takerBuyBaseVolume)} of ${exactText(bar.baseVolume)} (quote: ${exactText(bar.takerBuyQuoteVolume)})`,
    },
    { name: 'trades', label: 'Trades', value: tradeCountText(bar), title: `${bar.tradeCount} trades` },
    { name: 'ids', label: 'Ids', value: idsText(bar), title: idsTitle(bar) },
    { name: 'state', label: '', value: stateText(bar), title: stateTitle(bar) },
  ]
}

function volume(name: LegendName, label: string, title: string, text: string): LegendItem {
  return { name, label, value: shortVolume(text), title: `${title} ${exactText(text)}` }
}

function tradeCountText({ tradeCount }: BarText): string {
  return tradeCount.toLocaleString('en-US')
}

function idsText({ firstTradeId, lastTradeId }: BarText): string {
  return firstTradeId < 0 ? '–' : `${firstTradeId}–${lastTradeId}`
}

function idsTitle(bar: BarText): string {
  if (bar.firstTradeId >= 0) return `first and last trade id: ${bar.firstTradeId} to ${bar.lastTradeId}`
  return bar.proof === 'imported' ? 'the trade ids of an imported bar are not known' : 'no trades, so no trade ids'
}

/** What the bar is worth: "live", "closed · verified", "closed · incomplete · revision 1". */
export function stateText(bar: BarText): string {
  const words: string[] = [bar.state]
  if (bar.proof !== undefined) words.push(bar.proof)
  if (bar.proof !== 'imported') words.push(bar.complete ? 'complete' : 'incomplete')
  if (bar.revision > 0) words.push(`revision ${bar.revision}`)
  // A proven bar has all its trades: the exchange's own has the same numbers.
  return words.filter(word => !(word === 'complete' && bar.proof === 'verified')).join(' · ')
}

function stateTitle(bar: BarText): string {
  const sentences = [bar.state === 'live' ? 'Still takes trades.' : 'Has closed.']
  if (bar.proof === 'verified') sentences.push('The exchange’s own bar has the same numbers.')
  if (bar.proof === 'imported') sentences.push('Taken over from the exchange’s own bar; its trades were not seen.')
  else sentences.push(bar.complete ? 'Has all its trades.' : 'Some of its trades are missing.')
  if (bar.revision > 0) sentences.push(`Corrected ${bar.revision === 1 ? 'once' : `${bar.revision} times`}.`)
  return sentences.join(' ')
}
