import { parseArgs } from 'node:util'
import { isMutation, MUTATIONS, type Mutation } from './mutations.ts'
import { runSeeds } from './run-seeds.ts'

/** `npm run simulate -- --seeds 20000 [--from 1] [--jobs 2] [--mutate name]`, or `--from 1234 --seeds 1 --trace`. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    mutate: { type: 'string' },
    trace: { type: 'boolean', default: false },
    hash: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
})

function numberOf(name: 'seeds' | 'from' | 'jobs'): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 1) return value
  process.stderr.write(`--${name} must be a whole number from 1, not ${values[name]}\n`)
  process.exit(2)
}

function mutationOf(name: string | undefined): Mutation | undefined {
  if (name === undefined || isMutation(name)) return name
  const known = Object.entries(MUTATIONS).map(([mutation, meaning]) => `  ${mutation}: ${meaning}\n`)
  process.stderr.write(`--mutate must be one of these, not ${name}\n${known.join('')}`)
  process.exit(2)
}

const from = numberOf('from')
const seeds = numberOf('seeds')
const mutation = mutationOf(values.mutate)
if (values.trace || values.hash) {
  // Only here: it loads every app, which otherwise the workers do.
  const { simulate } = await import('./simulate.ts')
  const trace = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined
  for (let seed = from; seed < from + seeds; seed++) {
    const { broken, events, lastedMs, hash } = await simulate(seed, { mutation, trace, hash: values.hash })
    process.stdout.write(
      `seed ${seed}: ${broken ?? 'right'}; ${events} events, ${Math.round(lastedMs)} ms${hash ? `, history ${hash}` : ''}\n`,
    )
    if (broken !== undefined) process.exitCode = 1
  }
} else {
  const failed = await runSeeds({ from, seeds, jobs: numberOf('jobs'), mutation, keepGoing: values['keep-going'] })
  process.exitCode = failed > 0 ? 1 : 0
}
