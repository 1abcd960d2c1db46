/**
 * `npm run bench:profile -- DIR`: the whole service under a load, each app leaving a profile of its CPU in DIR, for `npm run bench:flame`
 * or a browser's developer tools. `--symbols`, `--rate` and `--seconds` set the load.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { commandLine, positive, wholeNumber } from '../harness/command-line.ts'
import { runLoad } from './load-run.ts'

const USAGE = `usage: npm run bench:profile -- DIR [--symbols 2000] [--rate 20000] [--seconds 15]

DIR   where the profiles are left
rate  trades a second over all symbols`

const { load, seconds } = commandLine(USAGE, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      symbols: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '20000' },
      seconds: { type: 'string', default: '15' },
    },
  })
  const [dir, ...more] = positionals
  if (dir === undefined || more.length > 0) throw new Error('name one folder for the profiles')
  return {
    load: {
      symbols: wholeNumber('symbols', values.symbols),
      rate: wholeNumber('rate', values.rate),
      clients: { streams: 10 },
      profileDir: resolve(dir),
    },
    seconds: positive('seconds', values.seconds),
  }
})
console.log(JSON.stringify(await runLoad(load, seconds), undefined, 2))
