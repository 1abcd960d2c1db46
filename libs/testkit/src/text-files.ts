import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Files in a folder of their own, which goes with them. */
export interface TextFiles<Name extends string> extends AsyncDisposable {
  readonly paths: Readonly<Record<Name, string>>
  write(name: Name, text: string): Promise<void>
}

/** Writes texts as files that only we can read: PostgreSQL refuses a key that others can. */
export async function writeFolder<const Name extends string>(
  texts: Readonly<Record<Name, string>>,
): Promise<TextFiles<Name>> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-files-'))
  const names = Object.keys(texts) as Name[]
  const paths = Object.fromEntries(names.map(name => [name, join(folder, name)])) as Record<Name, string>
  const write = (name: Name, text: string) => writeFile(paths[name], text, { mode: 0o600 })
  await Promise.all(names.map(name => write(name, texts[name])))
  return { paths, write, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
