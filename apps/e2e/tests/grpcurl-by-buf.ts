/**
 * Stands in for grpcurl where there is none: the same command line, done by `buf curl`, which asks reflection for the contract and reads
 * the request's JSON as strictly. Of grpcurl's options it knows those that the README uses; any other is an error.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const BUF = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url))

const { values, positionals } = parseArgs({
  // grpcurl writes long options with one dash.
  args: process.argv.slice(2).map(arg => (/^-[a-z]{2,}$/.test(arg) ? `-${arg}` : arg)),
  allowPositionals: true,
  options: {
    plaintext: { type: 'boolean', default: false },
    cacert: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    data: { type: 'string', short: 'd' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
  },
})
const [address, method] = positionals
if (address === undefined || method === undefined) throw new Error('usage: grpcurl [options] HOST:PORT METHOD|list')

const url = `${values.plaintext ? 'http' : 'https'}://${address}`
// grpcurl sends its headers with the questions to reflection too.
const options = values.header.flatMap(header => ['--header', header, '--reflect-header', header])
for (const name of ['cacert', 'cert', 'key'] as const) {
  const file = values[name]
  if (file !== undefined) options.push(`--${name}`, file)
}
if (values.plaintext) options.push('--http2-prior-knowledge')
const rest = method === 'list' ? ['--list-services', url] : ['--data', values.data ?? '{}', `${url}/${method}`]
const child = spawn(BUF, ['curl', '--protocol', 'grpc', ...options, ...rest], { stdio: 'inherit' })
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 0
})
