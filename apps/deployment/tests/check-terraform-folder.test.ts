import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { checkTerraformFolder } from '../src/check-terraform-folder.ts'
import { readTerraformConfig } from '../src/config.ts'
import { PLACES } from '../src/places.ts'
import type { TerraformFolder } from '../src/terraform-folders.ts'

/** With Terraform itself, on folders of our own. */

const hasTerraform = (() => {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
if (!hasTerraform) console.warn('terraform is not on the PATH: how it is run is not tested')

const GOOD = { 'main.tf': 'output "answer" {\n  value = 42\n}\n' }
const TEST =
  'run "answer" {\n  command = plan\n  assert {\n    condition     = output.answer == 42\n    error_message = "no"\n  }\n}\n'
const PROVIDER =
  'terraform {\n  required_providers {\n    aws = {\n      source  = "hashicorp/aws"\n      version = "5.100.0"\n    }\n  }\n}\n'
const lockFile = await readFile(join(PLACES.root, 'terraform/environments/aws/.terraform.lock.hcl'), 'utf8')
/** With the host that Terraform puts before the name. */
const ADDRESS = /provider "([^"]+)"/.exec(lockFile)![1]!
const LOCK = `provider "${ADDRESS}" {\n  version     = "5.100.0"\n  constraints = "5.100.0"\n  hashes = [\n    "h1:of-another=",\n  ]\n}\n`

const made: string[] = []
afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true })
})

async function makeFolder(files: Record<string, string>, provider: TerraformFolder['provider'] = 'none') {
  const path = await mkdtemp(join(tmpdir(), 'chart-terraform-'))
  made.push(path)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  return { name: 'modules/a', path, isEnvironment: provider === 'aws', provider, files: new Map(Object.entries(files)) }
}

const check = async (folder: TerraformFolder, pluginDir?: string) =>
  checkTerraformFolder(folder, { ...readTerraformConfig(), tools: undefined, pluginDir }, undefined)

test.skipIf(!hasTerraform)('a valid folder whose tests pass has passed, with their number', async () => {
  const folder = await makeFolder({ ...GOOD, 'tests/a.tftest.hcl': TEST })
  expect(await check(folder)).toEqual({ outcome: 'passed', text: 'valid, 1 tests passed' })
})

test.skipIf(!hasTerraform).each([
  [
    'an argument that does not exist',
    { 'main.tf': 'output "answer" {\n  valeu = 42\n}\n', 'tests/a.tftest.hcl': TEST },
  ],
  ['a test that fails', { ...GOOD, 'tests/a.tftest.hcl': TEST.replace('42', '41') }],
  ['no test at all', GOOD],
])('%s is a failure', async (_, files) => {
  expect((await check(await makeFolder(files))).outcome).toBe('failed')
})

test.skipIf(!hasTerraform)('a provider that a mirror does not have is left out, and said', async () => {
  const mirror = await makeFolder({ readme: '' })
  const folder = await makeFolder(
    { ...GOOD, 'versions.tf': PROVIDER, '.terraform.lock.hcl': LOCK, 'tests/a.tftest.hcl': TEST },
    'aws',
  )
  expect(await check(folder, mirror.path)).toMatchObject({ outcome: 'skipped', text: expect.stringContaining('aws') })
})

test.skipIf(!hasTerraform)('a provider that is not the locked one is a failure', async () => {
  const program = `${ADDRESS}/5.100.0/linux_amd64/terraform-provider-aws_v5.100.0`
  const mirror = await makeFolder({ [program]: '#!/bin/sh\n', [program.replace('linux', 'darwin')]: '#!/bin/sh\n' })
  const folder = await makeFolder(
    { ...GOOD, 'versions.tf': PROVIDER, '.terraform.lock.hcl': LOCK, 'tests/a.tftest.hcl': TEST },
    'aws',
  )
  expect(await check(folder, mirror.path)).toMatchObject({ outcome: 'failed' })
})
