import type { BarText } from '@chart/market'

/** One way to bring bars into PostgreSQL. */
export interface RowWriter extends AsyncDisposable {
  /** The table that they are in when this resolves. */
  readonly table: string
  write(bars: readonly BarText[]): Promise<void>
}
