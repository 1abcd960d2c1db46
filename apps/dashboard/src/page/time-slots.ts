import type { BarText } from '@chart/market'

/** Bars that should be between two bars and are not. */
export interface Gap {
  /** Of the first missing bar. */
  readonly fromTime: number
  /** Of the bar after the gap. */
  readonly toTime: number
  readonly missing: number
}

/** A place on the time axis: of a bar, or of one that is missing. */
export interface TimeSlot {
  readonly openTime: number
  readonly bar?: BarText
  readonly gap?: Gap
}

/** A long gap takes no more room than this, so that both its ends can be seen at once; what it says is the true number. */
export const GAP_SLOTS_MAX = 40

/** The time axis of `bars`: their places, and between them those of missing ones. */
export function slotsOf(bars: readonly BarText[], intervalMs: number): TimeSlot[] {
  const slots: TimeSlot[] = []
  let previous: BarText | undefined
  for (const bar of bars) {
    if (previous !== undefined) slots.push(...gapSlots(previous.openTime, bar.openTime, intervalMs))
    slots.push({ openTime: bar.openTime, bar })
    previous = bar
  }
  return slots
}

/** Where bars are missing, oldest first. */
export function gapsOf(bars: readonly BarText[], intervalMs: number): Gap[] {
  return bars.flatMap(
    (bar, index) => gapSlots(bars[index - 1]?.openTime ?? bar.openTime, bar.openTime, intervalMs)[0]?.gap ?? [],
  )
}

/** Places of what is missing between the bars at `previous` and `next`; mostly none. */
export function gapSlots(previous: number, next: number, intervalMs: number): TimeSlot[] {
  const missing = Math.round((next - previous) / intervalMs) - 1
  if (missing <= 0) return []
  const gap = { fromTime: previous + intervalMs, toTime: next, missing }
  const count = Math.min(missing, GAP_SLOTS_MAX)
  return Array.from({ length: count }, (_, index) => ({
    openTime: gap.fromTime + Math.floor((index * missing) / count) * intervalMs,
    gap,
  }))
}

/** Index of the slot whose time `time` falls into; −1 when it is before the first one, or after the end of the last. */
export function slotIndexAt(slots: readonly TimeSlot[], time: number, intervalMs: number): number {
  let low = 0
  let high = slots.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (slots[middle]!.openTime <= time) low = middle + 1
    else high = middle
  }
  const slot = slots[low - 1]
  if (slot === undefined) return -1
  const end = slot.gap === undefined ? slot.openTime + intervalMs : (slots[low]?.openTime ?? slot.gap.toTime)
  return time < end ? low - 1 : -1
}
