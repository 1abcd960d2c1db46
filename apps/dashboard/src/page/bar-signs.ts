import type { BarText } from '@chart/market'

/** What is worth a sign on the chart beside the numbers of a bar. */
export type BarSign = 'corrected' | 'incomplete' | 'flat' | 'imported'

/** A sign as the key explains it; the order is that of the key. */
export const SIGN_MEANINGS: Readonly<Record<BarSign | 'gap', { name: string; meaning: string }>> = {
  gap: { name: 'gap', meaning: 'bars are missing here' },
  incomplete: { name: 'incomplete', meaning: 'some trades of the bar are not in it' },
  corrected: { name: 'corrected', meaning: 'the bar was changed after it had closed' },
  flat: { name: 'no trades', meaning: 'nothing was traded: the price is the close before' },
  imported: { name: 'imported', meaning: 'taken over from the exchange’s own bars' },
}

/** The signs of `bar`. An imported bar is not called incomplete as well: that its trades were not seen is what imported means. */
export function signsOf(bar: BarText): readonly BarSign[] {
  const signs: BarSign[] = []
  const isImported = bar.proof === 'imported'
  if (bar.revision > 0) signs.push('corrected')
  if (!bar.complete && !isImported) signs.push('incomplete')
  if (bar.tradeCount === 0) signs.push('flat')
  if (isImported) signs.push('imported')
  return signs
}
