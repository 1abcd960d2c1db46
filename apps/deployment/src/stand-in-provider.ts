import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'

/**
 * The cluster's provider knows its schema and cannot be downloaded everywhere; an npm package carries the same schema. These
 * are what tf-offline.sh serves it with, in a folder of their own: 160 MB that nobody but this check needs.
 */
const PACKAGES = ['@cdktf/provider-kubernetes@12.1.1', '@grpc/grpc-js@1.14.7', '@grpc/proto-loader@0.8.1']
const SCHEMA_PACKAGE = 'node_modules/@cdktf/provider-kubernetes/package.json'

/** A slow registry takes a minute. */
const INSTALL_TIMEOUT_MS = 180_000

export interface StandIn {
  /** Folder from which tf-offline.sh is run. */
  readonly folder: string
  /** Of the provider whose schema it is. */
  readonly version: string
}

/**
 * Installs the packages once for each clone.
 * @param cache a folder that Git does not see
 * @throws when they cannot be installed
 */
export async function prepareStandIn(cache: string): Promise<StandIn> {
  const folder = join(cache, PACKAGES.map(name => name.replace(/.*@/, '')).join('-'))
  if ((await versionIn(folder)) === undefined) await install(cache, folder)
  const version = await versionIn(folder)
  if (version === undefined) throw new Error(`${folder} has no provider's schema; remove it and try again`)
  return { folder, version }
}

async function install(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, 'draft-'))
  try {
    await writeFile(join(draft, 'package.json'), '{"private": true}\n')
    // Its peers are what writes Terraform in other languages, and are not needed.
    const flags = ['--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund']
    const outcome = await runCommand('npm', ['install', ...flags, ...PACKAGES], '', {
      cwd: draft,
      timeoutMs: INSTALL_TIMEOUT_MS,
    })
    if (outcome?.status !== 0) throw new Error(`npm could not install ${PACKAGES.join(' ')}:\n${outcome?.stderr}`)
    await rm(folder, { recursive: true, force: true })
    await rename(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function versionIn(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, SCHEMA_PACKAGE), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text).cdktf.provider.version
}
