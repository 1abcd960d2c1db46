import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A module or an environment, by the provider that it needs: none, the cluster's, or the cloud's. */
export interface TerraformFolder {
  /** `modules/namespace` */
  readonly name: string
  readonly path: string
  readonly isEnvironment: boolean
  readonly provider: 'none' | 'kubernetes' | 'aws'
  /** Its files by path in it, the tests among them. */
  readonly files: ReadonlyMap<string, string>
}

/** @param root the folder `terraform` of the repository */
export async function findTerraformFolders(root: string): Promise<TerraformFolder[]> {
  const folders: TerraformFolder[] = []
  for (const group of ['modules', 'environments']) {
    const entries = await readdir(join(root, group), { withFileTypes: true })
    for (const { name } of entries.filter(entry => entry.isDirectory())) {
      const path = join(root, group, name)
      const files = await readFiles(path)
      folders.push({
        name: `${group}/${name}`,
        path,
        isEnvironment: group === 'environments',
        provider: providerOf(files.get('versions.tf') ?? ''),
        files,
      })
    }
  }
  return folders.sort((a, b) => a.name.localeCompare(b.name))
}

function providerOf(versions: string): TerraformFolder['provider'] {
  const source = /source\s*=\s*"hashicorp\/(\w+)"/.exec(versions)?.[1]
  if (source === undefined) return 'none'
  if (source === 'kubernetes' || source === 'aws') return source
  throw new Error(`provider ${source}: say in terraform-folders.ts how it is checked`)
}

async function readFiles(path: string): Promise<Map<string, string>> {
  const names = [
    ...(await readdir(path, { withFileTypes: true })),
    ...(await readdir(join(path, 'tests'), { withFileTypes: true }).catch(() => [])),
  ].filter(entry => entry.isFile() && /\.(tf|hcl|md|example)$/.test(entry.name))
  const texts = names.map(async ({ name, parentPath }) => {
    const relative = parentPath === path ? name : `tests/${name}`
    return [relative, await readFile(join(parentPath, name), 'utf8')] as const
  })
  return new Map(await Promise.all(texts))
}
