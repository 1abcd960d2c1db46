import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerStartError } from './errors.ts'
import { identityOf, isAlive, pidOf, signalIdentity } from './process-identity.ts'

/**
 * `server.json` beside the data says whose they are: which process started the server, and which is the server.
 * Two Redis servers on one directory would destroy each other's file, and nothing in Redis prevents it.
 */
type ServerRecord = { readonly owner: string; readonly server?: string }

const file = 'server.json'
const politeMs = 10_000

/**
 * Takes `dir` for servers of this process. While another process that lives has it, an error says which. A server whose
 * owner is gone is an orphan (its watcher may just be ending it) and is ended here.
 */
export async function claimFolder(dir: string): Promise<void> {
  const mine = JSON.stringify({ owner: identityOf(process.pid) ?? '' } satisfies ServerRecord)
  while (true) {
    try {
      // Only one of two that start at the same moment creates the file.
      await writeFile(join(dir, file), mine, { flag: 'wx' })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const record = await readRecord(dir)
    if (record !== undefined && isAlive(record.owner)) {
      throw new ServerStartError(`${dir} is in use by process ${pidOf(record.owner)}, which still runs: stop it first`)
    }
    if (record?.server !== undefined) await endOrphan(record.server)
    await releaseFolder(dir)
  }
}

/** Notes the server's process, so that a later claim can end it should it become an orphan. */
export async function recordServer(dir: string, pid: number): Promise<void> {
  const server = identityOf(pid)
  const owner = identityOf(process.pid)
  if (server === undefined || owner === undefined) return
  const unfinished = join(dir, `${file}.unfinished`)
  await writeFile(unfinished, JSON.stringify({ owner, server } satisfies ServerRecord))
  await rename(unfinished, join(dir, file))
}

export async function releaseFolder(dir: string): Promise<void> {
  await rm(join(dir, file), { force: true })
}

async function endOrphan(server: string): Promise<void> {
  signalIdentity(server, 'SIGTERM')
  const deadline = Date.now() + politeMs
  while (Date.now() < deadline && isAlive(server)) await sleep(50)
  signalIdentity(server, 'SIGKILL')
  while (isAlive(server)) await sleep(10)
}

async function readRecord(dir: string): Promise<ServerRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dir, file), 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { owner, server } = value as Partial<ServerRecord>
    if (typeof owner !== 'string') return undefined
    return typeof server === 'string' ? { owner, server } : { owner }
  } catch {
    // Gone meanwhile, or cut short by a crash while it was written: nothing that can be relied on.
    return undefined
  }
}
