import { join } from 'node:path'
import { checkTerraformFolder, type FolderResult } from './check-terraform-folder.ts'
import { readTerraformConfig } from './config.ts'
import { PLACES } from './places.ts'
import { runCommand } from './run-command.ts'
import { prepareStandIn, type StandIn } from './stand-in-provider.ts'
import { findingsOf, lockedVersionOf } from './terraform-files.ts'
import { findTerraformFolders, type TerraformFolder } from './terraform-folders.ts'

/**
 * `npm run check:terraform`: the form of every file, then each module and environment validated and tested. Without Terraform,
 * or without a provider, it says what was left out; where everything was given (CI) that is a failure.
 */

const ROOT = join(PLACES.root, 'terraform')

/** Each is a Terraform and a provider, most of the time at work. */
const AT_ONCE = 2

const config = readTerraformConfig()
const folders = await findTerraformFolders(ROOT)
let failures = 0
let skipped = 0

for (const folder of folders) {
  for (const finding of findingsOf(folder)) report(folder.name, { outcome: 'failed', text: finding })
}
const format = await runCommand('terraform', ['fmt', '-check', '-recursive', '-diff', ROOT])
if (format === undefined) {
  report('terraform', {
    outcome: 'skipped',
    text: 'it is not on the PATH (any version from 1.11 on); only the files were looked at',
  })
} else {
  if (format.status !== 0) {
    const text = `${format.stdout}${format.stderr}\nrun terraform fmt -recursive terraform`
    report('terraform fmt', { outcome: 'failed', text })
  }
  const standIn = await openStandIn(folders)
  const waiting = [...folders]
  const work = async () => {
    for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
      report(folder.name, await checkTerraformFolder(folder, config, standIn))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
say(
  `${folders.length} folders, ${failures === 0 ? 'nothing found' : `${failures} failed`}${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
if (failures > 0) process.exitCode = 1

/** Undefined where there is no tf-offline.sh: providers are then downloaded, as for anybody. */
async function openStandIn(folders: readonly TerraformFolder[]): Promise<StandIn | undefined> {
  if (config.tools === undefined) return undefined
  try {
    const standIn = await prepareStandIn()
    for (const { name, provider, isEnvironment, files } of folders) {
      const locked = lockedVersionOf(files)
      if (!isEnvironment || provider !== 'kubernetes' || locked === standIn.version) continue
      report(name, {
        outcome: 'failed',
        text: `it locks ${locked}, and the schema that it is checked with is of ${standIn.version}`,
      })
    }
    return standIn
  } catch (error) {
    report('stand-in of the provider kubernetes', { outcome: 'skipped', text: (error as Error).message })
    return undefined
  }
}

/** The cloud's provider is 700 MB and may be left out anywhere. */
function report(name: string, { outcome, text }: FolderResult): void {
  if (outcome === 'skipped') skipped += 1
  const isMissed = outcome === 'skipped' && config.isComplete && name !== 'environments/aws'
  if (outcome === 'failed' || isMissed) failures += 1
  say(
    outcome === 'passed'
      ? `${name}: ${text}`
      : `${name}: ${isMissed ? 'failed, since it was ' : ''}${outcome}: ${text.trim()}`,
  )
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
