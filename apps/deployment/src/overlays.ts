import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Places } from './places.ts'

/** An overlay, and what an operator may add to it. */
export interface Overlay {
  readonly name: string
  readonly folder: string
  /** Folders of components that it does not have already. */
  readonly optional: readonly string[]
}

/** By name, so that output and files are the same everywhere. */
export async function findOverlays(places: Places): Promise<Overlay[]> {
  const components = await foldersIn(places.components)
  const folders = await foldersIn(places.overlays)
  return Promise.all(
    folders.map(async folder => {
      const own = await componentsOf(folder)
      return { name: basename(folder), folder, optional: components.filter(component => !own.includes(component)) }
    }),
  )
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
  return names.sort().map(name => join(folder, name))
}

async function componentsOf(folder: string): Promise<string[]> {
  const kustomization = parse(await readFile(join(folder, 'kustomization.yaml'), 'utf8')) as { components?: string[] }
  return Promise.all((kustomization.components ?? []).map(path => realpath(resolve(folder, path))))
}
