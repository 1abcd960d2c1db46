import type { FaultCommands } from './fault-commands.ts'
import type { MalformedKind } from './trade-faults.ts'

/** Fields a command's JSON body may have, and the form of each; `!` marks those it must have. */
const forms = {
  symbol: { type: 'string', wanted: 'a symbol such as "BTCUSDT"' },
  share: { type: 'number', wanted: 'a number from 0 to 1', max: 1 },
  count: { type: 'number', wanted: 'a whole number from 0', whole: true },
  by: { type: 'number', wanted: 'a whole number from 0', whole: true },
  ms: { type: 'number', wanted: 'milliseconds from 0' },
  status: { type: 'number', wanted: 'an HTTP status from 400 to 599', whole: true },
  retryAfterSec: { type: 'number', wanted: 'whole seconds from 0', whole: true },
  kind: { type: 'string', wanted: 'a kind of broken frame such as "invalid-json"' },
  pongs: { type: 'boolean', wanted: 'true or false' },
  presentOnly: { type: 'boolean', wanted: 'true or false' },
} as const

/** A body that has passed `readBody`: fields are of their forms, and those a command must have are there. */
interface Body {
  readonly symbol: string
  readonly share: number
  readonly count: number
  readonly by: number
  readonly ms: number
  readonly status: number
  readonly retryAfterSec: number
  readonly kind: MalformedKind
  readonly pongs: boolean
  readonly presentOnly: boolean
}

interface Command {
  readonly fields: readonly string[]
  readonly run: (commands: FaultCommands, body: Body) => void
}

/** `POST /control/<name>`, each with the fields of its body. */
export const controlCommands: Readonly<Record<string, Command>> = {
  drop: { fields: ['symbol', 'share', 'count'], run: (commands, body) => commands.drop(body) },
  duplicate: { fields: ['symbol', 'share', 'count'], run: (commands, body) => commands.duplicate(body) },
  reorder: { fields: ['symbol', 'share', 'count', 'by'], run: (commands, body) => commands.reorder(body) },
  malformed: { fields: ['symbol', 'share', 'count', 'kind'], run: (commands, body) => commands.malformed(body) },
  stall: { fields: ['ms!', 'pongs', 'presentOnly'], run: (commands, body) => commands.stall(body) },
  disconnect: { fields: [], run: commands => commands.disconnect() },
  'age-out': { fields: [], run: commands => commands.ageOut() },
  'server-shutdown': { fields: ['ms'], run: (commands, body) => commands.serverShutdown(body) },
  'rest-status': {
    fields: ['status!', 'count', 'ms', 'retryAfterSec'],
    run: (commands, body) => commands.restStatus(body),
  },
  halt: { fields: ['symbol!', 'ms'], run: (commands, body) => commands.halt(body) },
  resume: { fields: ['symbol!'], run: (commands, body) => commands.resume(body) },
  hole: { fields: ['symbol!', 'count'], run: (commands, body) => commands.hole(body) },
  clear: { fields: [], run: commands => commands.clear() },
}

/** Carries out a command; throws a RangeError that says what is wrong with the body. */
export function runCommand(commands: FaultCommands, name: string, text: string): void {
  const command = controlCommands[name]
  if (!command) throw new RangeError(`unknown command ${name}; there are ${Object.keys(controlCommands).join(', ')}`)
  command.run(commands, readBody(command.fields, text))
}

function readBody(fields: readonly string[], text: string): Body {
  let body: unknown
  try {
    body = text.trim() === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw new RangeError(`body is not JSON: ${(error as Error).message}`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new RangeError('body: wanted an object')
  const allowed = fields.map(field => field.replace('!', ''))
  for (const [name, value] of Object.entries(body)) {
    if (!allowed.includes(name)) throw new RangeError(`${name}: not a field here; there are ${allowed.join(', ')}`)
    checkField(name as keyof typeof forms, value)
  }
  for (const field of fields) {
    const name = field.replace('!', '') as keyof typeof forms
    if (field.endsWith('!') && !(name in body)) throw new RangeError(`${name}: missing; wanted ${forms[name].wanted}`)
  }
  return body as Body
}

function checkField(name: keyof typeof forms, value: unknown): void {
  const form: { type: string; wanted: string; max?: number; whole?: boolean } = forms[name]
  const fits =
    typeof value === form.type &&
    (typeof value !== 'number' ||
      (Number.isFinite(value) &&
        value >= 0 &&
        value <= (form.max ?? value) &&
        (!form.whole || Number.isInteger(value))))
  if (!fits) throw new RangeError(`${name} ${JSON.stringify(value)}: wanted ${form.wanted}`)
}
