/**
 * `npm run bench:profile -- DIR`: the whole service under a load, each app leaving a profile of its CPU in DIR, for `npm run bench:flame`
 * or a browser's developer tools. `--symbols`, `--rate` and `--seconds` set the load.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runLoad } from './load-run.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    symbols: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '15' },
  },
})
const dir = positionals[0]
if (dir === undefined) throw new Error('name the folder for the profiles: npm run bench:profile -- DIR')
const load = { symbols: Number(values.symbols), rate: Number(values.rate), clients: { streams: 10 } }
console.log(JSON.stringify(await runLoad({ ...load, profileDir: resolve(dir) }, Number(values.seconds)), undefined, 2))
