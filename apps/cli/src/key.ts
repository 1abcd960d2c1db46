import { parseArgs } from 'node:util'
import { hashOfSecret, isKeyId, newApiKey, textOfApiKey } from '@chart/grpc'
import { type Command, UsageError } from './command.ts'

const SCOPES = ['live', 'history']

const USAGE = `usage: chart key ID [--scopes live,history] [--expires 2027-01-31T00:00:00Z]

Makes an API key for an edge and prints it with the entry for the file of keys (API_KEYS_FILE), which is a JSON list of such entries.
The key is shown here only: the file has its SHA-256. ID has letters, digits and dashes, and names the key in logs.
`

export const key: Command = {
  usage: USAGE,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { scopes: { type: 'string', default: SCOPES.join(',') }, expires: { type: 'string' } },
    })
    const [id, ...more] = positionals
    if (id === undefined || more.length > 0 || !isKeyId(id)) {
      throw new UsageError('name the key with letters, digits and dashes, such as desk-1')
    }
    const scopes = values.scopes.split(',')
    if (!scopes.every(scope => SCOPES.includes(scope))) {
      throw new UsageError(`--scopes is a list of ${SCOPES.join(', ')}`)
    }
    const { expires } = values
    if (expires !== undefined && Number.isNaN(Date.parse(expires))) {
      throw new UsageError('--expires is a time such as 2027-01-31T00:00:00Z')
    }
    const made = newApiKey(id)
    const entry = { id, sha256: hashOfSecret(made.secret), scopes, ...(expires !== undefined && { expires }) }
    // Apart, so that each can be sent where it belongs by a pipe.
    io.stderr.write('the key, which is shown this once; the entry for API_KEYS_FILE follows\n')
    io.stdout.write(`${textOfApiKey(made)}\n${JSON.stringify(entry)}\n`)
    return 0
  },
}
