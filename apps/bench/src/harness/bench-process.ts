import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Processes of a benchmark, which the one that measures asks by name, and what they cost. */

/** CPU time of Linux' accounting comes in hundredths of a second. */
const TICK_US = 10_000
const PAGE_BYTES = 4_096

interface Question {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

export interface BenchProcess extends AsyncDisposable {
  readonly pid: number
  ask<Value>(name: string, argument?: unknown): Promise<Value>
}

/** @param file `new URL('x-process.ts', import.meta.url)` */
export function startProcess(file: URL, env: Readonly<Record<string, string>> = {}): BenchProcess {
  const child = fork(file, { env: { ...process.env, ...env } })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let lastId = 0
  child.on('message', ({ id, value, error }: Answer) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(value as never)
    else one?.reject(new Error(`${file}: ${error}`))
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  void exited.then(() => {
    for (const { reject } of waiting.values())
      reject(new Error(`${file} has ended with ${child.exitCode ?? child.signalCode}`))
  })
  return {
    pid: child.pid!,
    ask: (name, argument) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        child.send({ id, name, argument } satisfies Question)
      }),
    async [Symbol.asyncDispose]() {
      endProcess(child)
      await exited
    },
  }
}

/** At once: nothing that a benchmark leaves behind is worth a moment of the next measurement. */
export function endProcess(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
}

/** The other end: answers what the parent asks. */
export function answerParent(answers: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on('message', async ({ id, name, argument }: Question) => {
    try {
      process.send!({ id, value: await answers[name]!(argument as never) } satisfies Answer)
    } catch (error) {
      process.send!({ id, error: (error as Error).message } satisfies Answer)
    }
  })
  process.on('disconnect', () => process.exit())
}

export interface ProcessCost {
  /** User and system time since its start. */
  readonly cpuUs: number
  readonly rssBytes: number
}

/** What a process has cost so far, by Linux' accounting; zeros elsewhere. */
export function costOf(pid: number): ProcessCost {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1])
    return { cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US, rssBytes: pages * PAGE_BYTES }
  } catch {
    return { cpuUs: 0, rssBytes: 0 }
  }
}
