import { type Command, type Io, UsageError } from './command.ts'

/** Adding a command is one line here: its name, what it does in a few words, and the file that holds it. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  watch: { summary: 'show bars as they change', load: async () => (await import('./watch.ts')).watch },
  bars: { summary: 'print the newest bars', load: async () => (await import('./bars.ts')).bars },
  symbols: { summary: 'print what is served', load: async () => (await import('./symbols.ts')).symbols },
  status: { summary: 'tell whether the service is well', load: async () => (await import('./status.ts')).status },
  queue: { summary: 'print what failed to be stored', load: async () => (await import('./queue.ts')).queue },
  keys: { summary: 'print the Redis keys of a symbol', load: async () => (await import('./keys.ts')).keys },
  key: { summary: 'make an API key for an edge', load: async () => (await import('./key.ts')).key },
  audit: {
    summary: "compare stored bars with the exchange's own",
    load: async () => (await import('./audit.ts')).audit,
  },
  aggregate: {
    summary: 'turn recorded trades into bars',
    load: async () => (await import('./aggregate.ts')).aggregate,
  },
}

/** What `npx chart …` does with its arguments; the answer is the exit status: 0 done, 1 failed, 2 asked wrongly. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args
  let speaker = 'chart'
  try {
    if (name === undefined || name === '--help' || name === '-h') {
      io.stdout.write(usage())
      return 0
    }
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (entry === undefined) {
      throw new UsageError(`unknown command "${name}"; known are ${Object.keys(COMMANDS).join(', ')}`)
    }
    speaker = `chart ${name}`
    const command = await entry.load()
    if (rest.includes('--help') || rest.includes('-h')) {
      io.stdout.write(command.usage)
      return 0
    }
    return await command.run(rest, io)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // Whoever read our output has seen enough (`| head`).
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0
    const asked = error instanceof UsageError || isParseArgsError(error)
    io.stderr.write(`${speaker}: ${error.message.split('\n')[0]}\n`)
    return asked ? 2 : 1
  }
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map(name => name.length))
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `usage: chart COMMAND …\n\n${lines.join('\n')}\n\nchart COMMAND --help tells more.\n`
}

function isParseArgsError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS')
}
