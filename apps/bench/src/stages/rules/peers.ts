import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Libraries that one would pick instead. They have a package.json and a lock of their own outside of the workspace, so that nothing of them
 * reaches the product; what is used of them is described here, so that the types hold without them.
 */

const FOLDER = new URL('../../../peers/', import.meta.url)

export interface Tardis {
  /** Makes one computer of bars for each symbol. */
  computeTradeBars(options: { kind: 'time'; interval: number }): () => TardisBars
}

export interface TardisBars {
  /** The bar that `trade` ends, if it ends one. */
  compute(trade: TardisTrade): Iterable<TardisBar>
}

export interface TardisTrade {
  readonly type: 'trade'
  readonly symbol: string
  readonly exchange: string
  readonly id: string
  readonly price: number
  readonly amount: number
  readonly side: 'buy' | 'sell'
  readonly timestamp: Date
  readonly localTimestamp: Date
}

export interface TardisBar {
  readonly symbol: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly trades: number
  readonly volume: number
  readonly buyVolume: number
  readonly openTimestamp: Date
}

export interface Ccxt {
  readonly Exchange: new () => {
    buildOHLCVC(
      trades: readonly { timestamp: number; price: number; amount: number }[],
      timeframe: string,
    ): readonly CcxtBar[]
  }
}

/** Open time, open, high, low, close, volume, count. */
export type CcxtBar = readonly [number, number, number, number, number, number, number]

export interface DecimalJs {
  readonly Decimal: DecimalClass
}

export interface DecimalClass {
  new (text: string | number): DecimalNumber
  set(options: { precision: number }): void
}

export interface DecimalNumber {
  plus(other: DecimalNumber): DecimalNumber
  times(other: DecimalNumber): DecimalNumber
  gt(other: DecimalNumber): boolean
  lt(other: DecimalNumber): boolean
  toFixed(decimals: number): string
}

/**
 * Installs the peers where they are missing, as their lock says and without running anything of theirs.
 * @throws Error when npm cannot
 */
export function installPeers(): void {
  if (existsSync(new URL('node_modules/.package-lock.json', FOLDER))) return
  const folder = fileURLToPath(FOLDER)
  process.stderr.write(`installing what the benchmark compares with into ${folder}\n`)
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--prefix', folder], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  })
  if (status === 0) return
  throw new Error(
    `npm ci in ${folder} failed (${error?.message ?? `exit ${status}`}); it needs a package registry. ` +
      'The other stages run without it: npm run bench -- --stages with their names',
    { cause: error },
  )
}

/** The peer called `name`; installPeers comes first. */
export function loadPeer<Peer>(name: string): Peer {
  return createRequire(new URL('package.json', FOLDER))(name) as Peer
}
